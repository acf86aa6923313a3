#include "system/socket_identity.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "system/sock_diag.hpp"

namespace belfry::system {
namespace {

constexpr int mptcp = 262;

// A socket bound to `text` with a port of the kernel's choice; -1: this machine has no such protocol.
int bound_to(const char* text, int type = SOCK_STREAM, int protocol = 0, bool v6_only = true) {
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  const bool is_v6 = ::inet_pton(AF_INET6, text, &v6.sin6_addr) == 1;
  const int fd = ::socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -1;
  const int only = v6_only ? 1 : 0;
  if (is_v6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  v6.sin6_family = AF_INET6;
  v4.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &v4.sin_addr);
  const int bound = is_v6 ? ::bind(fd, reinterpret_cast<sockaddr*>(&v6), sizeof v6)
                          : ::bind(fd, reinterpret_cast<sockaddr*>(&v4), sizeof v4);
  EXPECT_EQ(bound, 0) << text;
  return fd;
}

TEST(SocketIdentity, a_socket_is_found_by_it_when_it_listens_wherever_it_is_bound) {
  for (const char* address : {"127.0.0.1", "0.0.0.0", "127.0.0.2", "::1", "::", "::ffff:127.0.0.1"}) {
    const int fd = bound_to(address, SOCK_STREAM, 0, false);
    ASSERT_GE(fd, 0);
    SockDiag diag;
    const SocketIdentity before = identify(fd);
    EXPECT_NE(before.port, 0) << address;
    EXPECT_FALSE(diag.find(before, before.port)) << address;
    ASSERT_EQ(::listen(fd, 4), 0);
    const auto found = diag.find(before, before.port);
    ASSERT_TRUE(found) << address;
    EXPECT_EQ(found->cookie, before.cookie);
    ::close(fd);
    EXPECT_FALSE(diag.find(before, before.port)) << address;
  }
}

TEST(SocketIdentity, mptcp_is_found_by_its_inode) {
  const int fd = bound_to("127.0.0.1", SOCK_STREAM, mptcp);
  if (fd < 0) GTEST_SKIP() << "no MPTCP";
  ASSERT_EQ(::listen(fd, 4), 0);
  const SocketIdentity socket = identify(fd);
  EXPECT_EQ(socket.protocol, SocketIdentity::Protocol::mptcp);
  SockDiag diag;
  EXPECT_TRUE(diag.find(socket, socket.port));
  ::close(fd);
}

TEST(SocketIdentity, a_udp_socket_is_found_where_it_was_bound_afterwards) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const SocketIdentity before = identify(fd);
  EXPECT_TRUE(before.is_udp());
  EXPECT_EQ(before.port, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::uint16_t port = identify(fd).port;
  SockDiag diag;
  EXPECT_FALSE(diag.find(before, port)) << "no single question finds it";
  EXPECT_TRUE(diag.find(before, port, true));
  ::close(fd);
}

TEST(SocketIdentity, it_names_the_network_namespace) {
  const int fd = bound_to("127.0.0.1");
  EXPECT_EQ(identify(fd).network, own_network());
  ::close(fd);
}

}  // namespace
}  // namespace belfry::system
