#include "system/stream_client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

namespace belfry::system {

Connecting begin_connect(const sockaddr* to, socklen_t size, Handshake handshake) {
  Connecting begun;
  OwnedFd fd(::socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    begun.error = errno;
    return begun;
  }
  if (handshake == Handshake::unanswered) {
    const int off = 0;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);  // tcp(7): delays the ACK
  }
  int failed = ::connect(fd.get(), to, size);
  if (failed != 0 && errno == EINPROGRESS) failed = ::connect(fd.get(), to, size);
  begun.pending = failed != 0 && errno == EALREADY;
  if (failed == 0 || begun.pending)
    begun.fd = std::move(fd);
  else
    begun.error = errno;
  return begun;
}

int connect_result(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool is_connected_to_itself(int fd, const sockaddr* to, socklen_t size) {
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 || own_size != size) return false;
  if (own.ss_family != to->sa_family) return false;
  if (own.ss_family == AF_INET) {
    const auto& a = reinterpret_cast<const sockaddr_in&>(own);
    const auto& b = *reinterpret_cast<const sockaddr_in*>(to);
    return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
  }
  const auto& a = reinterpret_cast<const sockaddr_in6&>(own);
  const auto& b = *reinterpret_cast<const sockaddr_in6*>(to);
  return a.sin6_port == b.sin6_port && std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0;
}

bool is_quiet(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void close_by_reset(OwnedFd fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace belfry::system
