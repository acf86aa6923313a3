#include "system/stream_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace belfry::system {
namespace {

bool is_loopback(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(peer);
    return ntohl(ipv4.sin_addr.s_addr) >> 24U == 127;
  }
  const in6_addr& ipv6 = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ipv6)) return ipv6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&ipv6);
}

std::string address_of(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof text);
  else
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, text, sizeof text);
  constexpr std::string_view mapped = "::ffff:";
  const std::string_view shown = text;
  return std::string(shown.starts_with(mapped) && shown.contains('.') ? shown.substr(mapped.size()) : shown);
}

// His own group and the supplementary ones; empty where the kernel does not say.
std::vector<gid_t> groups_of_peer(int fd, gid_t own) {
  std::vector<gid_t> groups(64);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      groups.push_back(own);
      return groups;
    }
    if (errno != ERANGE || size / sizeof(gid_t) <= groups.size()) return {own};
    groups.resize(size / sizeof(gid_t));
  }
}

Peer peer_of(int fd, const sockaddr_storage& peer) {
  Peer found;
  if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) {
    found.kind = is_loopback(peer) ? Peer::Kind::loopback : Peer::Kind::remote;
    found.address = address_of(peer);
    return found;
  }
  found.kind = Peer::Kind::unix_socket;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return found;
  found.user = credentials.uid;
  found.process = credentials.pid;
  found.trusted_user = credentials.uid == 0 || credentials.uid == ::geteuid();
  if (!found.trusted_user) found.groups = groups_of_peer(fd, credentials.gid);
  return found;
}

}  // namespace

OwnedFd accept_connection(int listener, Peer* peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  OwnedFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd && peer != nullptr) *peer = peer_of(fd.get(), address);
  return fd;
}

void limit_sending(int fd, int kept) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kept, sizeof kept);
}

bool send_what_fits(int fd, std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EINTR) return false;
  }
  return true;
}

bool has_hung_up(int fd) {
  char byte = 0;
  const ssize_t seen = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen == 0 || (seen < 0 && errno != EAGAIN);
}

void end_sending(int fd) { ::shutdown(fd, SHUT_WR); }

}  // namespace belfry::system
