#include "system/listen_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "system/group_entry.hpp"

namespace belfry::system {
namespace {

constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn

std::string written(const ListenAddress& address) {
  if (address.is_unix) return "unix:" + address.path;
  const bool bracket = address.host.find(':') != std::string::npos;
  return (bracket ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string next_step(int error, const ListenAddress& address) {
  if (error == EADDRINUSE) {
    return " (another process listens there: see `ss -ltnp sport = :" + std::to_string(address.port) +
           "`, or change http.listen)";
  }
  if (error == EACCES && !address.is_unix) return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
  if (error == EADDRNOTAVAIL) return " (this host has no such address)";
  if (error == ENOENT && address.is_unix) return " (make the directory first)";
  return {};
}

std::unexpected<Error> cannot_listen(const ListenAddress& address, int error) {
  return std::unexpected(Error(Error::Kind::system, "cannot listen on " + written(address) + ": " +
                                                        std::strerror(error) + next_step(error, address)));
}

std::unexpected<Error> cannot_listen(const ListenAddress& address, std::string_view why) {
  return std::unexpected(
      Error(Error::Kind::refused, "cannot listen on " + written(address) + ": " + std::string(why)));
}

std::unexpected<Error> not_an_address(std::string_view text, std::string_view why) {
  return std::unexpected(
      Error(Error::Kind::invalid, "cannot listen on " + std::string(text) + ": " + std::string(why) +
                                      "; write host:port, such as 127.0.0.1:9600, or unix:/path"));
}

// An address family and its bytes. The family of "*" is IPv6, which takes IPv4 too.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool to_ipv4(const ListenAddress& address, SocketAddress& out) {
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(out.storage);
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(address.port);
  out.size = sizeof ipv4;
  if (address.host == "*") return true;  // INADDR_ANY is zero
  return ::inet_pton(AF_INET, address.host.c_str(), &ipv4.sin_addr) == 1;
}

bool to_ipv6(const ListenAddress& address, SocketAddress& out) {
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(out.storage);
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(address.port);
  out.size = sizeof ipv6;
  if (address.host == "*") return true;
  return ::inet_pton(AF_INET6, address.host.c_str(), &ipv6.sin6_addr) == 1;
}

int open_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

bool is_literal(const std::string& host) {
  SocketAddress ignored;
  const ListenAddress probe{false, host, 0, {}};
  return to_ipv4(probe, ignored) || to_ipv6(probe, ignored);
}

std::uint16_t bound_port(int fd) {
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  // The port stands at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound.storage).sin_port);
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Whether somebody accepts connections at the socket file. A full backlog (EAGAIN) is somebody too.
bool is_answered(const sockaddr_un& address) {
  const int fd = open_socket(AF_UNIX);
  if (fd < 0) return true;
  const bool refused = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
                       (errno == ECONNREFUSED || errno == ENOENT);
  ::close(fd);
  return !refused;
}

// Makes room at the path for whoever has its lock. The error: what is there is in use.
Result<void> make_way(const ListenAddress& address, const sockaddr_un& to) {
  struct stat status{};
  if (::lstat(address.path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return cannot_listen(address, "a file that is not a socket is in the way");
  if (is_answered(to)) {
    return cannot_listen(address, "another process answers there (see `ss -xlp src " + address.path +
                                      "`; give this stack another name: or control.socket)");
  }
  ::unlink(address.path.c_str());
  return {};
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress address;
  if (text.starts_with("unix:")) {
    address.is_unix = true;
    address.path = text.substr(5);
    if (!address.path.starts_with('/')) return not_an_address(text, "the path of a unix socket is absolute");
    if (address.path.size() >= sizeof(sockaddr_un{}.sun_path)) {
      return not_an_address(text, "the path of a unix socket has at most 107 bytes");
    }
    return address;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return not_an_address(text, "it has no port");
  const std::string_view digits = text.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
    return not_an_address(text, "the port is a number from 0 to 65535");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "*";
  if (host == "localhost") host = "127.0.0.1";
  address.host = host;
  if (host != "*" && !is_literal(address.host))
    return not_an_address(text, "the host is an address, localhost or *");
  return address;
}

Result<ListenSocket> ListenSocket::bind(const ListenAddress& address) {
  return address.is_unix ? bind_unix(address) : bind_tcp(address);
}

Result<ListenSocket> ListenSocket::bind_tcp(const ListenAddress& address) {
  SocketAddress to;
  ListenSocket made;
  if (to_ipv6(address, to)) made.fd_ = open_socket(AF_INET6);
  if (made.fd_ >= 0) {
    const int only = address.host == "*" ? 0 : 1;
    ::setsockopt(made.fd_, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  } else {
    to = SocketAddress();
    to_ipv4(address, to);  // also "*" on a host without IPv6
    made.fd_ = open_socket(AF_INET);
  }
  if (made.fd_ < 0) return cannot_listen(address, errno);
  const int on = 1;
  ::setsockopt(made.fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(made.fd_, to.get(), to.size) != 0) return cannot_listen(address, errno);
  if (::listen(made.fd_, backlog) != 0) return cannot_listen(address, errno);
  made.port_ = bound_port(made.fd_);
  return made;
}

Result<ListenSocket> ListenSocket::bind_unix(const ListenAddress& address) {
  const sockaddr_un to = unix_address(address.path);
  auto lock = SocketLock::take(address.path);
  if (!lock) return cannot_listen(address, lock.error().text());
  ListenSocket made(std::move(*lock));
  if (auto way = make_way(address, to); !way) return std::unexpected(way.error());
  made.fd_ = open_socket(AF_UNIX);
  if (made.fd_ < 0) return cannot_listen(address, errno);
  // The mode of the socket becomes that of its file (less the umask): there is no moment in which others may
  // enter.
  ::fchmod(made.fd_, 0600);
  if (::bind(made.fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return cannot_listen(address, errno);
  made.is_unix_ = true;
  if (!address.groups.empty()) {
    if (const int error = let_groups_in(address.path, address.groups); error != 0)
      return cannot_listen(address, std::string("it cannot be opened to groups: ") + std::strerror(error) +
                                        " (name one group, or none, in control.allow)");
  }
  if (::listen(made.fd_, backlog) != 0) return cannot_listen(address, errno);
  made.lock_.bound();
  return made;
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      port_(other.port_),
      is_unix_(other.is_unix_),
      lock_(std::move(other.lock_)) {}

// The lock takes the file along while the socket still holds its inode.
ListenSocket::~ListenSocket() {
  {
    const SocketLock gone(std::move(lock_));
  }
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace belfry::system
