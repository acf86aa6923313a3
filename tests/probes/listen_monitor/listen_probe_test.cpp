#include "probes/listen_monitor/listen_probe.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <limits>
#include <string>
#include <vector>

#include "probes/listen_monitor/rhythm.hpp"
#include "system/file_facts.hpp"
#include "system/sock_diag.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using namespace std::chrono_literals;
using system::CaughtCall;
using test::answer;
using test::LocalSocket;

constexpr Duration not_before_an_event = Duration::max();
constexpr pid_t no_process = std::numeric_limits<pid_t>::max();

struct ListenProbeTest : testing::Test {
  ListenProbe probe(std::uint16_t port, bool with_monitor = true) {
    // A leader that does not exist: only the monitor can prove whose socket it is.
    const ProbeContext about{.service = "api",
                             .tree = {.leader = no_process, .marker = {}, .log_pipe = 0},
                             .launch = nullptr,
                             .monitor = with_monitor ? monitor : nullptr};
    return {kernel.questions(), about, {.port = port, .udp = false, .path = {}}};
  }
  void call_listen(const LocalSocket& socket) {
    EXPECT_TRUE(monitor->caught({.kind = CaughtCall::Kind::listen, .socket = system::identify(socket.fd())}));
  }
  Loop loop;
  test::Kernel kernel{loop};
  PortWaiters& waiters = kernel.waiters;
  std::shared_ptr<ListenMonitor> monitor = std::make_shared<ListenMonitor>();
};

TEST_F(ListenProbeTest, without_a_notifier_the_kernel_is_asked_the_more_rarely_the_more_ask) {
  auto one = probe(80, false);
  EXPECT_EQ(one.next_look(0), 10ms);
  EXPECT_EQ(one.method(), "port 80: asked every 10 ms");
  waiters.count = 1000;
  EXPECT_EQ(one.next_look(3), 50ms);
  EXPECT_EQ(one.method(), "port 80: asked every 50 ms");
  waiters.count = 1;
}

TEST_F(ListenProbeTest, it_counts_as_waiting_until_it_was_true_and_no_longer_than_it_lives) {
  LocalSocket socket;
  {
    auto external = std::make_unique<ListenProbe>(kernel.questions(),
                                                  ProbeContext{.service = "x", .tree = {}, .launch = nullptr},
                                                  Awaited{.port = socket.port(), .udp = false, .path = {}});
    auto other = probe(1, false);
    EXPECT_EQ(waiters.count, 2U);
    EXPECT_EQ(answer(loop, *external), "");
    EXPECT_EQ(waiters.count, 1U);
    socket.close();
    EXPECT_NE(answer(loop, *external), "");
    EXPECT_EQ(waiters.count, 2U);
  }
  EXPECT_EQ(waiters.count, 0U);
}

TEST_F(ListenProbeTest, what_was_there_once_is_asked_for_thoroughly_each_time) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);  // no single question finds it
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 4), 0);
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ListenProbe one(kernel.questions(), ProbeContext{.service = "x", .tree = {}, .launch = nullptr},
                  Awaited{.port = ntohs(address.sin_port), .udp = false, .path = {}});
  int looks = 1;
  while (!answer(loop, one).empty() && looks < 100) ++looks;
  EXPECT_EQ(looks, 50);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(answer(loop, one), "");
  ::close(fd);
  EXPECT_NE(answer(loop, one), "");
}

TEST_F(ListenProbeTest, with_a_notifier_it_is_asked_after_events_only_and_counts_nowhere) {
  monitor->attach();
  auto notified = probe(80);
  EXPECT_EQ(waiters.count, 0U);
  EXPECT_EQ(notified.next_look(0), not_before_an_event);
  EXPECT_EQ(notified.method(), "port 80: kernel event (seccomp)");
}

TEST_F(ListenProbeTest, why_there_is_no_notifier_is_said) {
  monitor->say_why_unavailable("no CAP_SYS_ADMIN; add no_new_privileges: true");
  const auto asked = probe(8080);
  EXPECT_EQ(asked.polling(), "asked every 10 ms (no CAP_SYS_ADMIN; add no_new_privileges: true)");
  EXPECT_EQ(asked.method(), "port 8080: " + asked.polling());
}

TEST_F(ListenProbeTest, the_socket_of_the_call_is_proof_of_ownership) {
  monitor->attach();
  LocalSocket socket;
  auto notified = probe(socket.port());
  EXPECT_NE(answer(loop, notified), "");  // somebody listens, but it is not known to be this service
  call_listen(socket);
  EXPECT_EQ(answer(loop, notified), "");
  EXPECT_FALSE(monitor->is_wanted());
}

TEST_F(ListenProbeTest, a_call_in_progress_is_looked_at_turn_after_turn_for_a_bounded_time) {
  monitor->attach();
  LocalSocket socket(SOCK_STREAM, false, false);
  auto notified = probe(socket.port());
  call_listen(socket);
  std::uint32_t looks = 0;
  Duration waited{0};
  for (;;) {
    EXPECT_EQ(answer(loop, notified), "nobody listens on port " + std::to_string(socket.port()));
    const Duration next = *notified.next_look(++looks);
    if (next == not_before_an_event) break;
    waited += next;
  }
  EXPECT_EQ(looks, looks_in_all + 1);
  EXPECT_LT(waited, 7s);
  EXPECT_FALSE(monitor->is_in_call());
}

TEST_F(ListenProbeTest, without_the_very_socket_the_kernel_is_not_asked_turn_after_turn) {
  monitor->attach();
  auto notified = probe(80);
  EXPECT_TRUE(monitor->caught({.kind = CaughtCall::Kind::listen}));
  EXPECT_EQ(*notified.next_look(1), 1ms);
  EXPECT_EQ(*notified.next_look(looks_in_all), 3276800us);
  EXPECT_EQ(*notified.next_look(looks_in_all + 1), not_before_an_event);
}

TEST_F(ListenProbeTest, a_listener_in_another_network_namespace_rings_nothing_and_says_why) {
  monitor->attach();
  LocalSocket socket;
  auto notified = probe(socket.port());
  system::SocketIdentity identity = system::identify(socket.fd());
  if (identity.network == 0) GTEST_SKIP() << "Linux before 5.14";
  ++identity.network;
  EXPECT_TRUE(monitor->caught({.kind = CaughtCall::Kind::listen, .socket = identity}));
  EXPECT_EQ(answer(loop, notified), "nobody listens on port " + std::to_string(socket.port()) +
                                        ": the service listens in a network namespace of its own");
}

TEST_F(ListenProbeTest, whoever_listens_counts_where_any_owner_may) {
  LocalSocket socket;
  monitor->attach();
  const ProbeContext about{.service = "api",
                           .tree = {.leader = no_process, .marker = {}, .log_pipe = 0},
                           .launch = nullptr,
                           .monitor = monitor};
  ListenProbe anybody(kernel.questions(), whose(about, true),
                      {.port = socket.port(), .udp = false, .path = {}});
  EXPECT_EQ(answer(loop, anybody), "");
  ListenProbe own(kernel.questions(), whose(about, false), {.port = socket.port(), .udp = false, .path = {}});
  EXPECT_NE(answer(loop, own), "");
}

struct Told final : Publisher {
  void publish(std::string_view key, std::string_view value) override {
    all.push_back(std::string(key) + "=" + std::string(value));
  }
  std::vector<std::string> all;
};

TEST_F(ListenProbeTest, without_a_notifier_the_kernel_is_asked_on_which_port_the_service_listens) {
  Told told;
  const ProbeContext about{.service = "api",
                           .tree = {.leader = ::getpid(), .marker = {}, .log_pipe = 0},
                           .launch = nullptr,
                           .publisher = &told};
  ListenProbe any(kernel.questions(), about, {});
  EXPECT_EQ(answer(loop, any), "the service listens on no TCP port");
  LocalSocket one, other;
  const bool is_one = system::inode_of(one.fd()) < system::inode_of(other.fd());
  const std::string port = std::to_string((is_one ? one : other).port());
  EXPECT_EQ(answer(loop, any), "");
  EXPECT_EQ(any.method(), "port " + port + ": asked every 10 ms");
  (is_one ? one : other).close();
  EXPECT_EQ(answer(loop, any), "nobody listens on port " + port) << "it is what it has published";
  EXPECT_EQ(told.all, std::vector<std::string>{"PORT=" + port});
}

TEST_F(ListenProbeTest, what_others_listen_on_is_no_port_of_the_service) {
  LocalSocket others;
  Told told;
  const ProbeContext about{.service = "api",
                           .tree = {.leader = no_process, .marker = {}, .log_pipe = 0},
                           .launch = nullptr,
                           .publisher = &told};
  ListenProbe any(kernel.questions(), about, {});
  EXPECT_EQ(answer(loop, any), "the service listens on no TCP port");
  EXPECT_EQ(told.all, std::vector<std::string>{});
}

TEST_F(ListenProbeTest, who_uses_io_uring_is_asked_now_and_then) {
  monitor->attach();
  auto notified = probe(80);
  EXPECT_TRUE(monitor->caught({.kind = CaughtCall::Kind::io_uring}));
  EXPECT_EQ(notified.next_look(0), net_period);
  EXPECT_EQ(notified.next_look(1000), net_period);
  EXPECT_EQ(notified.method(),
            "port 80: kernel event (seccomp), asked every 250 ms as well (it uses io_uring)");
  EXPECT_EQ(notified.polling(), "asked every 250 ms as well (it uses io_uring)");
}

TEST_F(ListenProbeTest, paths_are_named_as_such) {
  const ProbeContext about{.service = "api", .tree = {}, .launch = nullptr};
  ListenProbe unix_probe(kernel.questions(), about, {.port = 0, .udp = false, .path = "/run/x.sock"});
  ListenProbe udp_probe(kernel.questions(), about, {.port = 53, .udp = true, .path = {}});
  EXPECT_EQ(unix_probe.method(), "unix /run/x.sock: asked every 10 ms");
  EXPECT_EQ(unix_probe.polling(), "") << "nobody can do anything about it";
  EXPECT_EQ(udp_probe.method(), "udp port 53: asked every 10 ms");
}

}  // namespace
}  // namespace belfry::probes
