#include "system/socket_facts.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>

#include "system/numeric_address.hpp"
#include "system/sock_diag.hpp"

namespace belfry::system {

namespace {

using Kind = SocketPlan::Kind;

constexpr int protocol_of_mptcp = 262;

std::optional<int> option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, name, &value, &size) == 0 ? std::optional(value) : std::nullopt;
}

std::optional<SocketAddress> address_of(int fd) {
  SocketAddress found;
  found.size = sizeof found.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&found.storage), &found.size) != 0) return std::nullopt;
  return found;
}

// Nothing: it is none that `listen` could have asked for.
std::optional<Kind> kind_of(int fd) {
  const int family = option(fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC);
  const int type = option(fd, SOL_SOCKET, SO_TYPE).value_or(0);
  if (family == AF_UNIX) return type == SOCK_STREAM ? std::optional(Kind::unix_stream) : std::nullopt;
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  const int protocol = option(fd, SOL_SOCKET, SO_PROTOCOL).value_or(0);
  if (type == SOCK_STREAM && (protocol == IPPROTO_TCP || protocol == protocol_of_mptcp)) return Kind::tcp;
  return type == SOCK_DGRAM && protocol == IPPROTO_UDP ? std::optional(Kind::udp) : std::nullopt;
}

// As a plan writes it: a leading @ names an abstract one, and the zero at the end of a path is none of it.
std::string path_in(const SocketAddress& address) {
  const auto& unix_address = reinterpret_cast<const sockaddr_un&>(address.storage);
  const std::size_t start = offsetof(sockaddr_un, sun_path);
  if (address.size <= start) return {};
  std::string path(unix_address.sun_path, address.size - start);
  if (path.front() == '\0')
    path.front() = '@';
  else
    path.resize(::strnlen(path.data(), path.size()));
  return path;
}

std::uint16_t port_in(const SocketAddress& address) {
  if (address.family() == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
  if (address.family() == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port);
  return 0;
}

bool is_same_host(const SocketAddress& one, const SocketAddress& other) {
  if (one.family() != other.family()) return false;
  if (one.family() == AF_INET)
    return reinterpret_cast<const sockaddr_in&>(one.storage).sin_addr.s_addr ==
           reinterpret_cast<const sockaddr_in&>(other.storage).sin_addr.s_addr;
  const auto& a = reinterpret_cast<const sockaddr_in6&>(one.storage);
  const auto& b = reinterpret_cast<const sockaddr_in6&>(other.storage);
  return std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0 &&
         a.sin6_scope_id == b.sin6_scope_id;
}

bool has_no_ipv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) ::close(fd);
  return fd < 0 && errno == EAFNOSUPPORT;
}

// `*` is every address of both families, which is what an IPv6 socket has, where there is IPv6.
bool is_bound_to_host(const SocketAddress& bound, const SocketPlan& plan) {
  if (plan.address == "*" && bound.family() == AF_INET && !has_no_ipv6()) return false;
  const std::string host = plan.address == "localhost" ? "127.0.0.1" : plan.address;
  const auto wanted = numeric_address(bound.family(), host, plan.port);
  return wanted && is_same_host(bound, *wanted) && port_in(bound) == plan.port;
}

bool has_its_file(int fd, const SocketPlan& plan) {
  if (plan.address.starts_with('@')) return true;
  struct stat file{};
  struct stat own{};
  if (::lstat(plan.address.c_str(), &file) != 0 || ::fstat(fd, &own) != 0) return false;
  if (plan.mode && (file.st_mode & 07777) != *plan.mode) return false;
  if ((plan.owner && file.st_uid != *plan.owner) || (plan.group && file.st_gid != *plan.group)) return false;
  SockDiag diag;
  return std::ranges::any_of(diag.unix_listeners(plan.address),
                             [&own](const ListeningSocket& one) { return one.inode == own.st_ino; });
}

std::string host_in(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (address.family() == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address.storage);
    ::inet_ntop(AF_INET, &four.sin_addr, host.data(), host.size());
    return host.data();
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(address.storage);
  ::inet_ntop(AF_INET6, &six.sin6_addr, host.data(), host.size());
  std::array<char, IF_NAMESIZE> interface{};
  if (six.sin6_scope_id == 0 || ::if_indextoname(six.sin6_scope_id, interface.data()) == nullptr)
    return host.data();
  return std::string(host.data()) + "%" + interface.data();
}

// Only there does it matter; the kernel makes a socket at any other address IPv6's alone (inet6_bind()).
bool has_every_ipv6(int fd) {
  const auto address = address_of(fd);
  return address && address->family() == AF_INET6 && host_in(*address) == "::";
}

bool is_v6only(int fd) { return option(fd, IPPROTO_IPV6, IPV6_V6ONLY).value_or(0) != 0; }

bool listens(int fd) { return option(fd, SOL_SOCKET, SO_ACCEPTCONN).value_or(0) != 0; }

}  // namespace

bool is_bound_to(int fd, const SocketPlan& plan) {
  const auto address = address_of(fd);
  if (kind_of(fd) != plan.kind || !address) return false;
  if (plan.kind != Kind::udp && !listens(fd)) return false;
  return plan.kind == Kind::unix_stream ? path_in(*address) == plan.address
                                        : is_bound_to_host(*address, plan);
}

bool is_made_as(int fd, const SocketPlan& plan) {
  if (plan.kind == Kind::unix_stream) return has_its_file(fd, plan);
  const bool shares = option(fd, SOL_SOCKET, SO_REUSEPORT).value_or(0) != 0;
  return shares == plan.reuse_port && (!has_every_ipv6(fd) || is_v6only(fd) == plan.v6only);
}

bool is_in_the_way(int fd, const SocketPlan& plan) {
  const auto address = address_of(fd);
  if (!address || kind_of(fd) != plan.kind) return false;
  return plan.kind == Kind::unix_stream ? path_in(*address) == plan.address : port_in(*address) == plan.port;
}

std::optional<SocketPlan> plan_of(int fd) {
  const auto address = address_of(fd);
  const auto kind = kind_of(fd);
  if (!address || !kind) return std::nullopt;
  SocketPlan plan;
  plan.kind = *kind;
  plan.address = *kind == Kind::unix_stream ? path_in(*address) : host_in(*address);
  plan.port = port_in(*address);
  return plan;
}

std::string describe_socket(int fd) {
  const auto address = address_of(fd);
  if (!address) return "something that is no socket";
  const auto plan = plan_of(fd);
  if (!plan) {
    const bool is_unix = address->family() == AF_UNIX;
    const bool is_datagram = option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
    if (!is_unix) return "a socket that is neither TCP nor UDP nor unix";
    return std::string(is_datagram ? "a datagram" : "a seqpacket") + " unix socket at " + path_in(*address);
  }
  const bool is_of_use = plan->kind == Kind::udp || listens(fd);
  return is_of_use ? plan->text() : plan->text() + ", which does not listen (Accept=yes?)";
}

}  // namespace belfry::system
