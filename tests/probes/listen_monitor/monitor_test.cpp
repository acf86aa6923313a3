#include "probes/listen_monitor/monitor.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "probes/listen_monitor/rhythm.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using system::CaughtCall;
using test::LocalSocket;
using Verdict = ListenMonitor::Verdict;

std::uint64_t calls = 0;

CaughtCall listen_on(int fd) {
  return {.kind = CaughtCall::Kind::listen, .socket = system::identify(fd), .id = ++calls};
}
CaughtCall bind_on(int fd) {
  return {.kind = CaughtCall::Kind::bind, .socket = system::identify(fd), .id = ++calls};
}
CaughtCall listen_unseen() { return {.kind = CaughtCall::Kind::listen, .id = ++calls}; }

Awaited tcp(std::uint16_t port) { return {.port = port, .udp = false, .path = {}}; }
Awaited udp(std::uint16_t port) { return {.port = port, .udp = true, .path = {}}; }
Awaited path(const std::string& name) { return {.port = 0, .udp = false, .path = name}; }

struct ProofCounter final : ProofListener {
  void proven(const ListenMonitor&) override { ++told; }
  int told = 0;
};

struct ListenMonitorTest : testing::Test {
  bool catches(const Awaited& what, const CaughtCall& call) {
    monitor.await(what, diag);
    return monitor.caught(call);
  }
  system::SockDiag diag;
  ListenMonitor monitor;
};

TEST_F(ListenMonitorTest, a_socket_that_listens_on_the_awaited_port_is_proof) {
  for (const bool v6 : {false, true}) {
    LocalSocket socket(SOCK_STREAM, v6);
    EXPECT_TRUE(catches(tcp(socket.port()), listen_on(socket.fd())));
    EXPECT_EQ(monitor.judge(tcp(socket.port())), Verdict::listens);
    EXPECT_FALSE(monitor.is_in_call());
  }
}

TEST_F(ListenMonitorTest, a_call_that_is_not_carried_out_yet_is_looked_at_again) {
  LocalSocket socket(SOCK_STREAM, false, false);
  EXPECT_TRUE(catches(tcp(socket.port()), listen_on(socket.fd())));
  EXPECT_EQ(monitor.judge(tcp(socket.port())), Verdict::not_yet);
  ASSERT_EQ(::listen(socket.fd(), 4), 0);
  EXPECT_EQ(monitor.judge(tcp(socket.port())), Verdict::listens);
  EXPECT_FALSE(monitor.is_in_call());
}

TEST_F(ListenMonitorTest, who_has_closed_the_socket_again_does_not_listen_and_nothing_of_it_is_left) {
  LocalSocket socket;
  const Awaited what = tcp(socket.port());
  EXPECT_TRUE(catches(what, listen_on(socket.fd())));
  socket.close();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(what.port);
  const int again = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::bind(again, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << "held by a copy";
  EXPECT_EQ(::listen(again, 4), 0);
  for (std::uint32_t look = 1; look < looks_at_call; ++look) {
    EXPECT_EQ(monitor.judge(what), Verdict::not_yet) << "it is another socket";
  }
  EXPECT_EQ(monitor.judge(what), Verdict::unknown);
  EXPECT_FALSE(monitor.is_in_call());
  EXPECT_TRUE(monitor.caught(listen_on(again)));
  EXPECT_EQ(monitor.judge(what), Verdict::listens);
  ::close(again);
}

TEST_F(ListenMonitorTest, one_of_many_that_share_a_port_is_known_from_the_others) {
  LocalSocket first;  // for its number
  const std::uint16_t port = first.port();
  first.close();
  int sockets[3];
  for (int& fd : sockets) {
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  for (const int fd : sockets) {
    EXPECT_TRUE(catches(tcp(port), listen_on(fd)));
    EXPECT_EQ(monitor.judge(tcp(port)), Verdict::not_yet) << "another one of the group listens";
    ASSERT_EQ(::listen(fd, 4), 0);
    EXPECT_EQ(monitor.judge(tcp(port)), Verdict::listens);
  }
  for (const int fd : sockets) ::close(fd);
}

TEST_F(ListenMonitorTest, other_ports_wake_nobody) {
  LocalSocket other;
  EXPECT_FALSE(catches(tcp(static_cast<std::uint16_t>(other.port() ^ 1)), listen_on(other.fd())));
  EXPECT_FALSE(monitor.is_in_call());
}

TEST_F(ListenMonitorTest, a_socket_without_an_address_wakes_nobody) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_FALSE(catches(tcp(80), listen_on(fd)));
  ::close(fd);
}

TEST_F(ListenMonitorTest, what_could_not_be_looked_at_is_left_to_the_kernel) {
  EXPECT_TRUE(catches(tcp(80), listen_unseen()));
  EXPECT_EQ(monitor.judge(tcp(80)), Verdict::unknown);
}

TEST_F(ListenMonitorTest, a_udp_port_is_known_only_after_the_call) {
  LocalSocket bound(SOCK_DGRAM);
  LocalSocket tcp_socket;
  const int fresh = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fresh, 0);
  EXPECT_TRUE(catches(udp(bound.port()), bind_on(fresh)));
  EXPECT_EQ(monitor.judge(udp(bound.port())), Verdict::not_yet);
  EXPECT_TRUE(monitor.caught(bind_on(bound.fd())));
  EXPECT_EQ(monitor.judge(udp(bound.port())), Verdict::listens);
  EXPECT_FALSE(monitor.caught(bind_on(tcp_socket.fd())));
  ::close(fresh);
}

TEST_F(ListenMonitorTest, a_unix_socket_is_proof_when_it_is_spelled_alike_and_a_hint_otherwise) {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    const std::string name = "@belfry-monitor-" + std::to_string(::getpid());
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_TRUE(catches(path(name), listen_on(fd)));
    EXPECT_EQ(monitor.judge(path(name)), Verdict::not_yet);
    ASSERT_EQ(::listen(fd, 1), 0);
    EXPECT_EQ(monitor.judge(path(name)), Verdict::listens);
    ListenMonitor other;
    other.await(path("/run/other.sock"), diag);
    EXPECT_TRUE(other.caught(listen_on(fd)));
    EXPECT_EQ(other.judge(path("/run/other.sock")), Verdict::unknown);
    LocalSocket internet;
    EXPECT_FALSE(other.caught(listen_on(internet.fd())));
    ::close(fd);
  }
}

TEST_F(ListenMonitorTest, whoever_no_longer_waits_has_forgotten_the_calls) {
  LocalSocket first(SOCK_STREAM, false, false);
  EXPECT_TRUE(catches(tcp(first.port()), listen_on(first.fd())));
  EXPECT_TRUE(monitor.is_wanted());
  monitor.no_longer(tcp(first.port()));
  EXPECT_FALSE(monitor.is_in_call());
  EXPECT_FALSE(monitor.is_wanted());
}

TEST_F(ListenMonitorTest, a_call_that_was_none_is_forgotten) {
  LocalSocket first(SOCK_STREAM, false, false);
  const CaughtCall call = listen_on(first.fd());
  EXPECT_TRUE(catches(tcp(first.port()), call));
  monitor.forget(call);
  EXPECT_FALSE(monitor.is_in_call());
  EXPECT_EQ(monitor.judge(tcp(first.port())), Verdict::unknown);
}

TEST_F(ListenMonitorTest, of_a_flood_of_calls_the_last_ones_are_looked_at) {
  LocalSocket flood(SOCK_STREAM, false, false);
  LocalSocket socket;
  EXPECT_TRUE(catches(tcp(flood.port()), listen_on(flood.fd())));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(monitor.caught(listen_on(flood.fd())));
  EXPECT_TRUE(catches(tcp(socket.port()), listen_on(socket.fd())));
  EXPECT_EQ(monitor.judge(tcp(socket.port())), Verdict::listens);
}

TEST_F(ListenMonitorTest, new_proof_is_told_once) {
  ProofCounter listener;
  monitor.tell_proofs_to(&listener);
  LocalSocket socket;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(catches(tcp(socket.port()), listen_on(socket.fd())));
    EXPECT_EQ(monitor.judge(tcp(socket.port())), Verdict::listens);
  }
  EXPECT_EQ(listener.told, 1);
  ASSERT_EQ(monitor.proofs().size(), 1U);
  EXPECT_EQ(monitor.proofs().front(), system::identify(socket.fd()).cookie);
}

TEST_F(ListenMonitorTest, one_socket_is_proof_of_all_that_it_is_awaited_as) {
  ProofCounter listener;
  monitor.tell_proofs_to(&listener);
  LocalSocket socket;
  const Awaited any;
  for (const Awaited& what : {tcp(socket.port()), any}) {
    EXPECT_TRUE(catches(what, listen_on(socket.fd())));
    EXPECT_EQ(monitor.judge(what), Verdict::listens);
    EXPECT_EQ(monitor.proven_port(what), socket.port());
  }
  EXPECT_EQ(monitor.proofs().size(), 1U);
  EXPECT_EQ(listener.told, 1);
}

TEST_F(ListenMonitorTest, only_a_further_call_tells_of_a_unix_socket_that_is_gone) {
  LocalSocket socket;
  monitor.await(tcp(socket.port()), diag);
  monitor.prove(tcp(socket.port()), diag.listeners(socket.port(), false));
  monitor.no_longer(tcp(socket.port()));
  EXPECT_FALSE(monitor.caught(listen_unseen())) << "the kernel tells the end of it";
  monitor.prove(path("/run/some.sock"), {{.inode = 1, .uid = 0, .cookie = 0, .address = {}}});
  EXPECT_TRUE(monitor.caught(listen_unseen()));
  EXPECT_EQ(monitor.proofs().size(), 1U);
}

TEST_F(ListenMonitorTest, io_uring_is_news_once) {
  EXPECT_FALSE(monitor.may_miss());
  EXPECT_TRUE(catches(tcp(80), {.kind = CaughtCall::Kind::io_uring}));
  EXPECT_FALSE(monitor.caught({.kind = CaughtCall::Kind::io_uring}));
  EXPECT_TRUE(monitor.may_miss());
}

TEST(Rhythm, looks_come_turn_after_turn_then_ever_rarer_then_never) {
  EXPECT_EQ(next_look(0), Duration::zero());
  EXPECT_EQ(next_look(looks_in_turns - 1), Duration::zero());
  EXPECT_EQ(next_look(looks_in_turns), std::chrono::nanoseconds(12'500));
  EXPECT_EQ(next_look(looks_in_turns + 3), std::chrono::microseconds(100));
  EXPECT_EQ(next_look(looks_in_all), std::nullopt);
  Duration all{0}, at_call{0};
  for (std::uint32_t look = 0; look < looks_in_all; ++look) {
    all += *next_look(look);
    if (look < looks_at_call - 1) at_call += *next_look(look);
  }
  EXPECT_GT(all, std::chrono::seconds(6));
  EXPECT_LT(all, std::chrono::seconds(7));
  EXPECT_LT(at_call, std::chrono::milliseconds(4));
}

}  // namespace
}  // namespace belfry::probes
