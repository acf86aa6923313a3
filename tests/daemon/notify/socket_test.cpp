#include "daemon/notify/socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "channels/loop.hpp"

namespace belfry::daemon {
namespace {

class NotifySocketTest : public testing::Test, protected NotifyReceiver {
 protected:
  NotifySocketTest() {
    std::string directory = "/tmp/belfry-notify-test.XXXXXX";
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    poller_ = std::make_unique<system::Poller>(root_);
    NotifyReceiver& receiver = *this;
    socket_ = std::make_unique<NotifySocket>(*poller_, receiver);
    EXPECT_TRUE(socket_->open(directory_ + "/s", ::geteuid()));
  }
  ~NotifySocketTest() override {
    socket_.reset();
    loop_.abandon();
    poller_.reset();
    ::rmdir(directory_.c_str());
  }
  void on_message(const NotifySender& sender, const HeardMessage& message,
                  AttachedDescriptors& attached) override {
    senders_.push_back(sender);
    messages_.push_back(message);
    if (keep_) kept_ = std::move(attached);
  }
  // Sends as this process does, with `descriptors` copies of standard input attached.
  void send(std::string_view text, int descriptors = 0) {
    send_with(text, std::vector<int>(static_cast<std::size_t>(descriptors), STDIN_FILENO));
  }
  void send_with(std::string_view text, const std::vector<int>& fds) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_->path().copy(address.sun_path, sizeof address.sun_path - 1);
    iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 250)> control{};
    msghdr header{};
    header.msg_name = &address;
    header.msg_namelen = sizeof address;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
      cmsghdr* c = CMSG_FIRSTHDR(&header);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
      std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
    }
    EXPECT_EQ(::sendmsg(fd, &header, 0), static_cast<ssize_t>(text.size()));
    ::close(fd);
  }
  // False: there is no room.
  bool try_to_send(std::string_view text) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_->path().copy(address.sun_path, sizeof address.sun_path - 1);
    const ssize_t sent = ::sendto(fd, text.data(), text.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(fd);
    return sent >= 0;
  }
  static int lowest_free_descriptor() {
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
  }

  Loop loop_;
  Context root_{loop_};
  std::string directory_;
  std::unique_ptr<system::Poller> poller_;
  std::unique_ptr<NotifySocket> socket_;
  std::vector<NotifySender> senders_;
  std::vector<HeardMessage> messages_;
  bool keep_ = false;
  AttachedDescriptors kept_;
};

TEST_F(NotifySocketTest, a_message_comes_with_the_credentials_of_its_sender) {
  send("READY=1");
  loop_.run_until_idle();
  ASSERT_EQ(messages_.size(), 1U);
  EXPECT_TRUE(messages_[0]->ready);
  EXPECT_EQ(senders_[0].pid, ::getpid());
  EXPECT_EQ(senders_[0].uid, ::getuid());
}

TEST_F(NotifySocketTest, messages_are_taken_in_the_order_in_which_they_came) {
  for (int i = 0; i < 10; ++i) send("STATUS=" + std::to_string(i));  // as many as a socket queues unread
  loop_.run_until_idle();
  ASSERT_EQ(messages_.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(messages_[i]->status, std::to_string(i));
}

TEST_F(NotifySocketTest, drain_takes_in_what_has_arrived_without_a_turn_of_the_loop) {
  send("READY=1");
  socket_->drain();
  EXPECT_EQ(messages_.size(), 1U);
}

TEST_F(NotifySocketTest, attached_descriptors_are_closed_all_of_them) {
  const int before = lowest_free_descriptor();
  send("FDSTORE=1", 250);
  loop_.run_until_idle();
  EXPECT_EQ(messages_.size(), 1U);
  EXPECT_EQ(lowest_free_descriptor(), before);
}

TEST_F(NotifySocketTest, an_oversize_message_is_an_error_and_the_next_one_is_heard) {
  send(std::string(5000, 'x'));
  send("READY=1");
  loop_.run_until_idle();
  ASSERT_EQ(messages_.size(), 2U);
  EXPECT_FALSE(messages_[0]);
  EXPECT_TRUE(messages_[1]->ready);
}

TEST_F(NotifySocketTest, nobody_but_its_owner_may_write_to_it_unless_that_is_root_who_may_become_anybody) {
  const auto mode_of = [this](uid_t owner) {
    NotifyReceiver& receiver = *this;
    NotifySocket socket(*poller_, receiver);
    EXPECT_TRUE(socket.open(directory_ + "/mode", owner));
    struct stat info{};
    EXPECT_EQ(::stat(socket.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, owner);
    return info.st_mode & 0777;
  };
  const uid_t nobody = 65534;
  if (::geteuid() == 0) {
    EXPECT_EQ(mode_of(0), 0666U);
    EXPECT_EQ(mode_of(nobody), 0600U);
  } else {
    EXPECT_EQ(mode_of(::geteuid()), 0600U);
  }
}

TEST_F(NotifySocketTest, it_goes_with_its_object) {
  struct stat info{};
  const std::string path = socket_->path();
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  socket_.reset();
  EXPECT_NE(::stat(path.c_str(), &info), 0);
}

TEST_F(NotifySocketTest, what_the_kernel_had_to_cut_is_refused_and_what_came_of_it_is_closed) {
  send("STATUS=hello");  // UBSan looks at an object's type once, and needs a descriptor to do so
  socket_->drain();
  messages_.clear();
  const int before = lowest_free_descriptor();
  send("FDSTORE=1", 50);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(before) + 10, .rlim_max = old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  socket_->drain();
  ::setrlimit(RLIMIT_NOFILE, &old);
  ASSERT_EQ(messages_.size(), 1U);
  EXPECT_EQ(messages_[0].error(), NotifyRefusal::cut_off);
  EXPECT_EQ(lowest_free_descriptor(), before);
}

TEST_F(NotifySocketTest, who_keeps_a_descriptor_has_it) {
  keep_ = true;
  send("FDSTORE=1", 2);
  loop_.run_until_idle();
  ASSERT_EQ(kept_.size(), 2U);
  for (const system::OwnedFd& fd : kept_) EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(NotifySocketTest, a_barrier_needs_exactly_one_descriptor) {
  send("BARRIER=1");
  send("BARRIER=1", 2);
  send("BARRIER=1", 1);
  loop_.run_until_idle();
  ASSERT_EQ(messages_.size(), 3U);
  EXPECT_EQ(messages_[0].error(), NotifyRefusal::bad_barrier);
  EXPECT_EQ(messages_[1].error(), NotifyRefusal::bad_barrier);
  EXPECT_TRUE(messages_[2]->barrier);
}

TEST_F(NotifySocketTest, a_barrier_is_answered_after_what_came_before_it) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  send("STATUS=first");
  send_with("BARRIER=1", {ends[1]});
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), -1) << "nobody has read it yet";
  loop_.run_until_idle();
  EXPECT_EQ(messages_[0]->status, "first");
  EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "closed: that is the answer";
  ::close(ends[0]);
}

TEST_F(NotifySocketTest, a_flood_is_heard_in_portions_and_its_sender_kept_waiting) {
  const auto heard_in_300_ms = [this] {
    const TimePoint end = Clock::now() + std::chrono::milliseconds(300);
    while (Clock::now() < end) {
      while (try_to_send("STATUS=x")) {
      }
      loop_.run_until_idle();
    }
    return messages_.size();
  };
  const std::size_t heard = heard_in_300_ms();
  EXPECT_GE(heard, NotifySocket::most_in_a_window);
  EXPECT_LE(heard, NotifySocket::most_in_a_window * 8);
  messages_.clear();
  while (try_to_send("STATUS=x")) {
  }
  socket_->drain();  // an exit is judged with its last words known, flood or not
  EXPECT_FALSE(messages_.empty());
}

TEST_F(NotifySocketTest, one_event_is_one_message_so_that_a_flood_leaves_the_others_their_turn) {
  for (int i = 0; i < 5; ++i) send("READY=1");
  while (messages_.empty()) loop_.step();
  EXPECT_EQ(messages_.size(), 1U);
}

}  // namespace
}  // namespace belfry::daemon
