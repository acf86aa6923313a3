#include "system/socket_identity.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace belfry::system {

namespace {

// Newer than the headers of some distributions.
constexpr int option_cookie = 57;          // SO_COOKIE
constexpr int option_network_cookie = 71;  // SO_NETNS_COOKIE
constexpr int protocol_mptcp = 262;        // IPPROTO_MPTCP: what Go listens with by default

template <class Value>
Value option_of(int fd, int name) {
  Value value{};
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : Value{};
}

using Protocol = SocketIdentity::Protocol;

Protocol protocol_of(int fd) {
  switch (option_of<int>(fd, SO_PROTOCOL)) {
    case IPPROTO_TCP: return Protocol::tcp;
    case IPPROTO_UDP: return Protocol::udp;
    case protocol_mptcp: return Protocol::mptcp;
    default: return Protocol::none;
  }
}

std::string path_in(const sockaddr_un& address, socklen_t length) {
  constexpr auto head = offsetof(sockaddr_un, sun_path);
  if (length <= head) return {};
  std::string name(address.sun_path, length - head);
  if (name.front() == '\0') {
    name.front() = '@';
  } else {
    name.resize(std::min(name.size(), name.find('\0')));
  }
  return name;
}

void read_address(int fd, SocketIdentity& into) {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un path;
    sockaddr_storage all;
  } bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(fd, &bound.any, &length) != 0) return;
  if (bound.any.sa_family == AF_INET) {
    into.port = ntohs(bound.v4.sin_port);
    into.address[0] = bound.v4.sin_addr.s_addr;
  } else if (bound.any.sa_family == AF_INET6) {
    into.port = ntohs(bound.v6.sin6_port);
    into.v6 = !IN6_IS_ADDR_V4MAPPED(&bound.v6.sin6_addr);
    into.interface = bound.v6.sin6_scope_id;
    std::memcpy(into.address.data(), &bound.v6.sin6_addr, sizeof into.address);
    if (!into.v6) into.address = {into.address[3], 0, 0, 0};
  } else if (bound.any.sa_family == AF_UNIX) {
    into.path = path_in(bound.path, length);
  }
}

ino_t inode_of(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 ? info.st_ino : 0;
}

}  // namespace

SocketIdentity identify(int fd) {
  SocketIdentity socket;
  socket.protocol = protocol_of(fd);
  socket.cookie = option_of<std::uint64_t>(fd, option_cookie);
  socket.network = option_of<std::uint64_t>(fd, option_network_cookie);
  read_address(fd, socket);
  // MPTCP listens by a socket of the kernel's own, which has another cookie and the same inode.
  if (socket.protocol == Protocol::none || socket.protocol == Protocol::mptcp) socket.inode = inode_of(fd);
  return socket;
}

std::uint64_t own_network() {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  const auto network = option_of<std::uint64_t>(fd, option_network_cookie);
  ::close(fd);
  return network;
}

}  // namespace belfry::system
