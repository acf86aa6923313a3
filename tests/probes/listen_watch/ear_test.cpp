#include "probes/listen_watch/ear.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "probes/listen_watch/rhythm.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using system::CaughtCall;
using test::LocalSocket;
using Verdict = ListenEar::Verdict;

CaughtCall listen_on(int fd) { return {.kind = CaughtCall::Kind::listen, .socket = ::dup(fd)}; }
CaughtCall bind_on(int fd) { return {.kind = CaughtCall::Kind::bind, .socket = ::dup(fd)}; }
CaughtCall listen_unseen() { return {.kind = CaughtCall::Kind::listen, .socket = -1}; }

Awaited tcp(std::uint16_t port) { return {.port = port, .udp = false, .path = {}}; }
Awaited udp(std::uint16_t port) { return {.port = port, .udp = true, .path = {}}; }
Awaited path(const std::string& name) { return {.port = 0, .udp = false, .path = name}; }

// Copies are closed when they are of no use: the service's own descriptor must be the last one.
bool is_open_elsewhere(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool taken =
      ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 1) != 0;
  ::close(fd);
  return taken;
}

TEST(ListenEar, a_socket_that_listens_on_the_awaited_port_is_proof) {
  for (const bool v6 : {false, true}) {
    LocalSocket socket(SOCK_STREAM, v6);
    Loop loop;
    ListenEar ear(loop);
    ear.await(tcp(socket.port()));
    EXPECT_TRUE(ear.caught(listen_on(socket.fd())));
    EXPECT_EQ(ear.judge(tcp(socket.port())), Verdict::listens);
  }
}

TEST(ListenEar, a_call_that_is_not_carried_out_yet_is_looked_at_again) {
  LocalSocket socket(SOCK_STREAM, false, false);
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(socket.port()));
  EXPECT_TRUE(ear.caught(listen_on(socket.fd())));
  EXPECT_EQ(ear.judge(tcp(socket.port())), Verdict::not_yet);
  ASSERT_EQ(::listen(socket.fd(), 4), 0);
  EXPECT_EQ(ear.judge(tcp(socket.port())), Verdict::listens);
  EXPECT_FALSE(ear.holds_copy());
}

TEST(ListenEar, what_has_been_judged_is_closed_when_the_turn_is_over_or_the_ear_goes) {
  LocalSocket socket;
  const auto caught_and_judged = [&](ListenEar& ear) {
    ear.await(tcp(socket.port()));
    const CaughtCall call = listen_on(socket.fd());
    EXPECT_TRUE(ear.caught(call));
    EXPECT_EQ(ear.judge(tcp(socket.port())), Verdict::listens);
    EXPECT_NE(::fcntl(call.socket, F_GETFD), -1) << "the bell comes first";
    return call.socket;
  };
  Loop loop;
  ListenEar ear(loop);
  const int first = caught_and_judged(ear);
  loop.run_until_idle();
  EXPECT_EQ(::fcntl(first, F_GETFD), -1);
  int second = -1;
  {
    ListenEar short_lived(loop);
    second = caught_and_judged(short_lived);
  }
  EXPECT_EQ(::fcntl(second, F_GETFD), -1);
  loop.run_until_idle();
}

TEST(ListenEar, a_call_that_fails_keeps_its_address_for_milliseconds_only) {
  LocalSocket socket(SOCK_STREAM, false, false);
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(socket.port()));
  EXPECT_TRUE(ear.caught(listen_on(socket.fd())));
  socket.close();
  EXPECT_TRUE(is_open_elsewhere(socket.port()) || ear.holds_copy());
  for (std::uint32_t look = 1; look < looks_at_copy; ++look) {
    EXPECT_EQ(ear.judge(tcp(socket.port())), Verdict::not_yet);
  }
  EXPECT_EQ(ear.judge(tcp(socket.port())), Verdict::unknown);
  EXPECT_FALSE(ear.holds_copy());
  loop.run_until_idle();
  EXPECT_FALSE(is_open_elsewhere(socket.port()));
}

TEST(ListenEar, other_ports_wake_nobody) {
  LocalSocket other;
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(static_cast<std::uint16_t>(other.port() ^ 1)));
  EXPECT_FALSE(ear.caught(listen_on(other.fd())));
  EXPECT_FALSE(ear.holds_copy());
}

TEST(ListenEar, a_socket_without_an_address_wakes_nobody) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(80));
  EXPECT_FALSE(ear.caught({.kind = CaughtCall::Kind::listen, .socket = fd}));
}

TEST(ListenEar, what_could_not_be_copied_is_left_to_the_kernel) {
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(80));
  EXPECT_TRUE(ear.caught(listen_unseen()));
  EXPECT_EQ(ear.judge(tcp(80)), Verdict::unknown);
}

TEST(ListenEar, a_udp_port_is_known_only_after_the_call) {
  LocalSocket bound(SOCK_DGRAM);
  LocalSocket tcp_socket;
  const int fresh = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fresh, 0);
  Loop loop;
  ListenEar ear(loop);
  ear.await(udp(bound.port()));
  EXPECT_TRUE(ear.caught(bind_on(fresh)));
  EXPECT_EQ(ear.judge(udp(bound.port())), Verdict::not_yet);
  EXPECT_TRUE(ear.caught(bind_on(bound.fd())));
  EXPECT_EQ(ear.judge(udp(bound.port())), Verdict::listens);
  EXPECT_FALSE(ear.caught(bind_on(tcp_socket.fd())));
  ::close(fresh);
}

TEST(ListenEar, a_udp_socket_that_turns_out_to_be_another_is_let_go) {
  const int fresh = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fresh, 0);
  Loop loop;
  ListenEar ear(loop);
  ear.await(udp(9));
  EXPECT_TRUE(ear.caught(bind_on(fresh)));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  ASSERT_EQ(::bind(fresh, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  EXPECT_EQ(ear.judge(udp(9)), Verdict::unknown);
  EXPECT_FALSE(ear.holds_copy());
  ::close(fresh);
}

TEST(ListenEar, a_unix_socket_is_proof_when_it_is_spelled_alike_and_a_hint_otherwise) {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    const std::string name = "@belfry-ear-" + std::to_string(::getpid());
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    Loop loop;
    ListenEar ear(loop);
    ear.await(path(name));
    EXPECT_TRUE(ear.caught(listen_on(fd)));
    EXPECT_EQ(ear.judge(path(name)), Verdict::not_yet);
    ASSERT_EQ(::listen(fd, 1), 0);
    EXPECT_EQ(ear.judge(path(name)), Verdict::listens);
    ListenEar other(loop);
    other.await(path("/run/other.sock"));
    EXPECT_TRUE(other.caught(listen_on(fd)));
    EXPECT_EQ(other.judge(path("/run/other.sock")), Verdict::unknown);
    LocalSocket internet;
    EXPECT_FALSE(other.caught(listen_on(internet.fd())));
    ::close(fd);
  }
}

TEST(ListenEar, whoever_no_longer_waits_holds_no_copies) {
  LocalSocket first(SOCK_STREAM, false, false);
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(first.port()));
  EXPECT_TRUE(ear.caught(listen_on(first.fd())));
  EXPECT_TRUE(ear.caught(listen_on(first.fd())));
  EXPECT_TRUE(ear.is_wanted());
  ear.no_longer(tcp(first.port()));
  EXPECT_FALSE(ear.holds_copy());
  EXPECT_FALSE(ear.is_wanted());
}

TEST(ListenEar, a_call_that_was_none_leaves_no_copy) {
  LocalSocket first(SOCK_STREAM, false, false);
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(first.port()));
  const CaughtCall call = listen_on(first.fd());
  EXPECT_TRUE(ear.caught(call));
  ear.forget(call);
  EXPECT_FALSE(ear.holds_copy());
  EXPECT_EQ(ear.judge(tcp(first.port())), Verdict::unknown);
}

TEST(ListenEar, a_flood_of_calls_holds_a_bounded_number_of_copies) {
  LocalSocket socket(SOCK_STREAM, false, false);
  Loop loop;
  const int lowest = ::dup(0);
  ::close(lowest);
  {
    ListenEar ear(loop);
    ear.await(tcp(socket.port()));
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(ear.caught(listen_on(socket.fd())));
    const int next = ::dup(0);
    EXPECT_LE(next, lowest + 8);
    ::close(next);
  }
  const int next = ::dup(0);
  EXPECT_EQ(next, lowest);
  ::close(next);
}

TEST(ListenEar, io_uring_is_news_once) {
  Loop loop;
  ListenEar ear(loop);
  ear.await(tcp(80));
  EXPECT_FALSE(ear.may_miss());
  EXPECT_TRUE(ear.caught({.kind = CaughtCall::Kind::io_uring, .socket = -1}));
  EXPECT_FALSE(ear.caught({.kind = CaughtCall::Kind::io_uring, .socket = -1}));
  EXPECT_TRUE(ear.may_miss());
}

TEST(Rhythm, looks_come_turn_after_turn_then_ever_rarer_then_never) {
  EXPECT_EQ(next_look(0), Duration::zero());
  EXPECT_EQ(next_look(looks_in_turns - 1), Duration::zero());
  EXPECT_EQ(next_look(looks_in_turns), std::chrono::microseconds(50));
  EXPECT_EQ(next_look(looks_in_turns + 3), std::chrono::microseconds(400));
  EXPECT_EQ(next_look(looks_in_all), std::nullopt);
  Duration all{0}, with_copy{0};
  for (std::uint32_t look = 0; look < looks_in_all; ++look) {
    all += *next_look(look);
    if (look < looks_at_copy - 1) with_copy += *next_look(look);
  }
  EXPECT_GT(all, std::chrono::seconds(6));
  EXPECT_LT(all, std::chrono::seconds(7));
  EXPECT_LT(with_copy, std::chrono::milliseconds(4));
}

}  // namespace
}  // namespace belfry::probes
