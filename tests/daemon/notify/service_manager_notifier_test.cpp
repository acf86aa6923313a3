#include "daemon/notify/service_manager_notifier.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "channels/context.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

// Plays systemd: a datagram socket in the abstract namespace.
class ServiceManagerNotifierTest : public testing::Test {
 protected:
  ServiceManagerNotifierTest() : name_("@belfry-manager-test-" + std::to_string(::getpid())) {
    manager_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    EXPECT_EQ(::bind(manager_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    ::setenv("NOTIFY_SOCKET", name_.c_str(), 1);
  }
  ~ServiceManagerNotifierTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE"}) ::unsetenv(name);
    service_manager_.reset();
    loop_.abandon();
    ::close(manager_);
  }
  ServiceManagerNotifier& begin() {
    service_manager_ = std::make_unique<ServiceManagerNotifier>(loop_, poller_, [this] { return summary_; });
    return *service_manager_;
  }
  std::vector<std::string> told() {
    loop_.run_until_idle();
    std::vector<std::string> messages;
    std::array<char, 4096> text{};
    for (ssize_t n = 0; (n = ::recv(manager_, text.data(), text.size(), 0)) > 0;)
      messages.emplace_back(text.data(), static_cast<std::size_t>(n));
    return messages;
  }

  using Told = std::vector<std::string>;
  std::string name_;
  std::string summary_ = "0 of 2 services ready";
  int manager_ = -1;
  ManualClock clock_;
  Loop loop_{clock_};
  Context root_{loop_};
  system::Poller poller_{root_};
  std::unique_ptr<ServiceManagerNotifier> service_manager_;
};

TEST_F(ServiceManagerNotifierTest, ready_and_stopping_are_told_with_a_status) {
  ServiceManagerNotifier& notifier = begin();
  summary_ = "2 of 2 services ready";
  notifier.ready();
  EXPECT_EQ(told(), Told{"READY=1\nSTATUS=2 of 2 services ready"});
  notifier.stopping("SIGTERM", 25s);
  EXPECT_EQ(told(), Told{"STOPPING=1\nSTATUS=stopping: SIGTERM\nEXTEND_TIMEOUT_USEC=30000000"});
}

TEST_F(ServiceManagerNotifierTest, a_start_that_makes_progress_is_given_time_with_every_step) {
  ServiceManagerNotifier& notifier = begin();
  notifier.changed(false);
  loop_.advance(0ms);
  EXPECT_EQ(told(), Told{"STATUS=0 of 2 services ready"});
  summary_ = "1 of 2 services ready";
  notifier.changed(true);
  loop_.advance(100ms);
  EXPECT_EQ(told(), Told{"STATUS=1 of 2 services ready\nEXTEND_TIMEOUT_USEC=60000000"});
  notifier.ready();
  told();
  notifier.changed(true);
  loop_.advance(100ms);
  EXPECT_EQ(told(), Told{"STATUS=1 of 2 services ready"}) << "what is ready needs no more time";
}

TEST_F(ServiceManagerNotifierTest, a_service_that_asks_for_time_is_heard_above) {
  begin().needs_time(10min);
  EXPECT_EQ(told(), Told{"EXTEND_TIMEOUT_USEC=605000000"});
}

TEST_F(ServiceManagerNotifierTest, a_storm_of_changes_is_one_message_in_100_ms) {
  ServiceManagerNotifier& notifier = begin();
  for (int i = 0; i < 1000; ++i) notifier.changed(true);
  loop_.advance(0ms);
  EXPECT_EQ(told().size(), 1U);
  for (int i = 0; i < 1000; ++i) notifier.changed(true);
  loop_.advance(99ms);
  EXPECT_EQ(told().size(), 0U);
  loop_.advance(1ms);
  EXPECT_EQ(told().size(), 1U);
  EXPECT_TRUE(loop_.timers().empty()) << "nothing changes, nothing wakes up";
}

TEST_F(ServiceManagerNotifierTest, the_watchdog_is_fed_at_half_its_period_from_the_loop) {
  ::setenv("WATCHDOG_USEC", "20000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  begin();
  EXPECT_EQ(told(), Told{"WATCHDOG=1"});
  loop_.advance(9s);
  EXPECT_TRUE(told().empty());
  loop_.advance(1s);
  EXPECT_EQ(told(), Told{"WATCHDOG=1"});
}

TEST_F(ServiceManagerNotifierTest, a_watchdog_that_waits_for_somebody_else_is_not_fed) {
  ::setenv("WATCHDOG_USEC", "20000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  begin();
  loop_.advance(1min);
  EXPECT_TRUE(told().empty());
  EXPECT_TRUE(loop_.timers().empty());
}

TEST_F(ServiceManagerNotifierTest, a_refused_reload_is_begun_and_ended_so_that_nobody_waits_for_it) {
  ServiceManagerNotifier& notifier = begin();
  notifier.reload_answered("cannot reload");
  EXPECT_TRUE(told().empty()) << "READY=1 would not be true yet";
  notifier.ready();
  told();
  notifier.reload_answered("cannot reload");
  const Told messages = told();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0U);
  EXPECT_EQ(messages[1], "READY=1\nSTATUS=cannot reload");
}

TEST_F(ServiceManagerNotifierTest, what_finds_no_room_waits_for_it_and_the_latest_of_each_kind_is_sent) {
  ServiceManagerNotifier& notifier = begin();
  // Nobody reads: the manager's queue fills (10 messages on most machines, 512 on some).
  for (int i = 0; i < 1100; ++i) notifier.needs_time(10min);
  summary_ = "2 of 2 services ready";
  notifier.ready();
  notifier.stopping("SIGTERM", 25s);
  std::string last;
  for (Told some = told(); !some.empty(); some = told()) last = some.back();
  EXPECT_EQ(last, "STOPPING=1\nSTATUS=stopping: SIGTERM\nEXTEND_TIMEOUT_USEC=30000000");
}

TEST_F(ServiceManagerNotifierTest, how_much_the_store_takes_is_what_the_manager_says) {
  EXPECT_EQ(begin().room(), 0U);
  for (const char* none : {"", "-1", "many"}) {
    ::setenv("FDSTORE", none, 1);
    EXPECT_EQ(begin().room(), 0U) << none;
  }
  ::setenv("FDSTORE", "512", 1);
  EXPECT_EQ(begin().room(), 512U);
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(begin().room(), 0U) << "nobody would hear of it";
}

// The descriptors that came with the messages, as many as there were; all closed.
std::size_t descriptors_in(int socket, std::vector<std::string>& messages) {
  std::size_t count = 0;
  for (;;) {
    std::array<char, 4096> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    if (n <= 0) return count;
    messages.emplace_back(text.data(), static_cast<std::size_t>(n));
    const cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    ::close(fd);
    ++count;
  }
}

TEST_F(ServiceManagerNotifierTest, a_descriptor_is_stored_by_name_and_removed_by_it) {
  ServiceManagerNotifier& notifier = begin();
  notifier.store(manager_, "a");
  notifier.remove("a");
  Told messages;
  EXPECT_EQ(descriptors_in(manager_, messages), 1U);
  EXPECT_EQ(messages, (Told{"FDSTORE=1\nFDNAME=a", "FDSTOREREMOVE=1\nFDNAME=a"}));
}

TEST_F(ServiceManagerNotifierTest,
       what_is_stored_waits_for_room_with_a_copy_of_its_own_and_none_is_left_out) {
  ServiceManagerNotifier& notifier = begin();
  constexpr std::size_t many = 1100;  // more than the manager's queue holds
  for (std::size_t i = 0; i < many; ++i) {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    notifier.store(fd, std::to_string(i));
    ::close(fd);
  }
  notifier.ready();
  Told messages;
  std::size_t descriptors = 0;
  for (std::size_t before = 1; before != messages.size();) {
    before = messages.size();
    loop_.run_until_idle();
    descriptors += descriptors_in(manager_, messages);
  }
  EXPECT_EQ(descriptors, many);
  ASSERT_EQ(messages.size(), many + 1);
  EXPECT_EQ(messages[many - 1], "FDSTORE=1\nFDNAME=1099");
  EXPECT_EQ(messages[many], "READY=1\nSTATUS=0 of 2 services ready");
}

TEST_F(ServiceManagerNotifierTest, without_somebody_above_nothing_is_done) {
  ::unsetenv("NOTIFY_SOCKET");
  ServiceManagerNotifier& notifier = begin();
  notifier.changed(true);
  notifier.ready();
  notifier.stopping("x", 1s);
  EXPECT_TRUE(told().empty());
  EXPECT_TRUE(loop_.timers().empty());
}

TEST_F(ServiceManagerNotifierTest, a_manager_that_is_gone_does_no_harm) {
  ServiceManagerNotifier& notifier = begin();
  ::close(manager_);
  manager_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  notifier.ready();
  notifier.stopping("x", 1s);
  loop_.run_until_idle();
}

}  // namespace
}  // namespace belfry::daemon
