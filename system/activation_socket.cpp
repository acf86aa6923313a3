#include "system/activation_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <utility>

#include "system/descriptors.hpp"
#include "system/numeric_address.hpp"
#include "system/proc.hpp"
#include "system/sock_diag.hpp"

namespace belfry::system {

namespace {

using Kind = SocketPlan::Kind;

// Who keeps us from the address: " by 4711 nginx", with the service if it is one of belfry's.
std::string holder_of(const SocketPlan& plan) {
  SockDiag diag;
  const auto sockets = plan.kind == Kind::unix_stream ? diag.unix_listeners(plan.address)
                                                      : diag.listeners(plan.port, plan.kind == Kind::udp);
  std::vector<ino_t> inodes;
  std::ranges::transform(sockets, std::back_inserter(inodes), &ListeningSocket::inode);
  constexpr auto of_the_loop_s_time = std::chrono::milliseconds(20);
  const auto holder = proc::holder_of(inodes, of_the_loop_s_time);
  if (!holder) return {};
  if (holder->pid == ::getpid()) return " by belfry itself, for another socket of this stack";
  const auto service = proc::variable_of(holder->pid, "BELFRY_SERVICE");
  return " by " + std::to_string(holder->pid) + " " + holder->name +
         (service ? ", which is the service " + *service : "");
}

std::string next_step(const SocketPlan& plan, int error) {
  const bool is_unix = plan.kind == Kind::unix_stream;
  switch (error) {
    case EADDRINUSE: return " (stop the other one, or give `listen` another address)";
    case EADDRNOTAVAIL: return is_unix ? "" : " (this host has no such address: see `ip address`)";
    case EACCES:
      if (!is_unix) return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
      return " (the directory must be writable for belfry's user)";
    case ENOENT: return " (make the directory first)";
    case EMFILE: return std::string(how_to_raise_the_limit);
    default: return {};
  }
}

std::unexpected<Error> cannot_listen(const SocketPlan& plan, int error) {
  return std::unexpected(Error::failed("cannot listen on " + plan.text() + ": " + std::strerror(error) +
                                       (error == EADDRINUSE ? holder_of(plan) : "") +
                                       next_step(plan, error)));
}

// Numbers only, so nothing is asked of a name server. `*` is every address of both families where the host
// has IPv6.
bool to_inet(const SocketPlan& plan, bool v6, SocketAddress& out) {
  const bool local = plan.address == "localhost";
  const std::string host = !local ? plan.address : v6 ? "::1" : "127.0.0.1";
  const auto found = numeric_address(v6 ? AF_INET6 : AF_INET, host, plan.port);
  if (found) out = *found;
  return found.has_value();
}

SocketAddress to_unix(const std::string& path) {
  SocketAddress made;
  auto& address = reinterpret_cast<sockaddr_un&>(made.storage);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  const bool abstract = path.starts_with('@');
  if (abstract) address.sun_path[0] = '\0';
  // The length is part of an abstract name; a path ends with its zero (unix(7)).
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                     static_cast<unsigned>(!abstract));
  return made;
}

void set(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

// Whether somebody accepts connections at the socket file. A full backlog (EAGAIN) is somebody too.
bool is_answered(const SocketAddress& address, Syscalls& syscalls) {
  const int fd = syscalls.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  const bool refused =
      ::connect(fd, address.get(), address.size) != 0 && (errno == ECONNREFUSED || errno == ENOENT);
  ::close(fd);
  return !refused;
}

// The file has its mode from the moment at which it exists: that of the socket, less the umask where the plan
// says none. By its path it could not be changed afterwards without changing what somebody has put there.
bool bind_with_its_mode(int fd, const SocketAddress& to, std::optional<mode_t> mode) {
  if (::fchmod(fd, mode.value_or(0666)) != 0) return false;
  if (!mode) return ::bind(fd, to.get(), to.size) == 0;
  const mode_t mask = ::umask(0);
  const bool bound = ::bind(fd, to.get(), to.size) == 0;
  const int error = errno;
  ::umask(mask);
  errno = error;
  return bound;
}

// The file at `path`, whatever it is, without opening it; -1 with errno.
int handle_of(const std::string& path) { return ::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); }

// Whether it is a socket that this process may have made a moment ago: the directory may be another user's,
// who can put a link in its place, but can neither make a file of ours nor hide that it has two names.
bool is_fresh_socket(const struct stat& status) {
  return S_ISSOCK(status.st_mode) && status.st_uid == ::geteuid() && status.st_nlink == 1;
}

std::unexpected<Error> cannot_give(const SocketPlan& plan, std::string_view why) {
  return std::unexpected(Error(
      Error::Kind::failed, "cannot give the socket " + plan.text() + " to its owner: " + std::string(why)));
}

// Owner as the file says, before anybody can connect. `file` is a handle of it, not a path.
Result<void> give_away(const SocketPlan& plan, int file, const struct stat& status) {
  if (!plan.owner && !plan.group) return {};
  const uid_t owner = plan.owner.value_or(static_cast<uid_t>(-1));
  const gid_t group = plan.group.value_or(static_cast<gid_t>(-1));
  if (!is_fresh_socket(status))
    return cannot_give(plan, "something else is there already (who may write there?)");
  if (::fchownat(file, "", owner, group, AT_EMPTY_PATH) == 0) return {};
  return cannot_give(plan, std::string(std::strerror(errno)) + " (that takes root or CAP_CHOWN)");
}

// Takes a dead socket's file away, and none that came in its place meanwhile: what was moved aside is looked
// at, and put back if it is another one.
void remove_dead(const std::string& path, const struct stat& dead) {
  const std::string aside = path + ".dead-" + std::to_string(::getpid());
  if (::rename(path.c_str(), aside.c_str()) != 0) return;
  struct stat status{};
  const bool same =
      ::lstat(aside.c_str(), &status) == 0 && status.st_dev == dead.st_dev && status.st_ino == dead.st_ino;
  if (!same && ::link(aside.c_str(), path.c_str()) != 0) return;  // better twice than not at all
  ::unlink(aside.c_str());
}

}  // namespace

std::string SocketPlan::text() const {
  if (kind == Kind::unix_stream) return "unix:" + address;
  const bool brackets = address.contains(':');
  return std::string(kind == Kind::udp ? "udp:" : "") + (brackets ? "[" + address + "]" : address) + ":" +
         std::to_string(port);
}

Result<ActivationSocket> ActivationSocket::bind(const SocketPlan& plan, Syscalls& syscalls) {
  return plan.kind == Kind::unix_stream ? bind_unix(plan, syscalls) : bind_inet(plan, syscalls);
}

Result<ActivationSocket> ActivationSocket::bind_inet(const SocketPlan& plan, Syscalls& syscalls) {
  const bool udp = plan.kind == Kind::udp;
  const int type = udp ? SOCK_DGRAM : SOCK_STREAM;
  SocketAddress to;
  int fd = -EAFNOSUPPORT;
  const bool v6 = plan.address != "localhost" && to_inet(plan, true, to);
  if (v6) fd = syscalls.socket(AF_INET6, type, 0);
  if (fd == -EAFNOSUPPORT && to_inet(plan, false, to)) fd = syscalls.socket(AF_INET, type, 0);
  if (fd < 0) return cannot_listen(plan, -fd);
  ActivationSocket made(fd);
  if (to.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, plan.v6only ? 1 : 0);
  // For TCP it passes over connections that linger in TIME_WAIT; for UDP it would share a port that is taken.
  if (!udp) set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (plan.reuse_port) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd, to.get(), to.size) != 0) return cannot_listen(plan, errno);
  if (!udp && ::listen(fd, plan.backlog.value_or(SOMAXCONN)) != 0) return cannot_listen(plan, errno);
  return made;
}

Result<ActivationSocket> ActivationSocket::bind_unix(const SocketPlan& plan, Syscalls& syscalls) {
  const SocketAddress to = to_unix(plan.address);
  const bool abstract = plan.address.starts_with('@');
  const char* path = plan.address.c_str();
  struct stat status{};
  if (!abstract && ::lstat(path, &status) == 0) {
    if (!S_ISSOCK(status.st_mode))
      return std::unexpected(Error::failed("cannot listen on " + plan.text() +
                                           ": a file that is not a socket is in the way "
                                           "(move it, or give `listen` another path)"));
    if (is_answered(to, syscalls)) return cannot_listen(plan, EADDRINUSE);
    remove_dead(plan.address, status);
  }
  const int fd = syscalls.socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return cannot_listen(plan, -fd);
  ActivationSocket made(fd);
  if (!abstract) {
    if (!bind_with_its_mode(fd, to, plan.mode)) return cannot_listen(plan, errno);
    if (auto known = made.remember_file(plan); !known) return std::unexpected(known.error());
  } else if (::bind(fd, to.get(), to.size) != 0) {
    return cannot_listen(plan, errno);
  }
  // Nobody can connect before this.
  if (::listen(fd, plan.backlog.value_or(SOMAXCONN)) != 0) return cannot_listen(plan, errno);
  return made;
}

Result<void> ActivationSocket::remember_file(const SocketPlan& plan) {
  path_ = plan.address;
  const int file = handle_of(path_);
  struct stat status{};
  if (file >= 0 && ::fstat(file, &status) == 0 && S_ISSOCK(status.st_mode)) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
  const Result<void> given = give_away(plan, file, status);
  if (file >= 0) ::close(file);
  return given;
}

ActivationSocket ActivationSocket::adopt(OwnedFd fd, const SocketPlan& plan, Origin origin) {
  ActivationSocket made(fd.release());
  if (origin == Origin::of_somebody_else) return made;
  if (plan.kind != Kind::udp) ::listen(made.fd_, plan.backlog.value_or(SOMAXCONN));
  struct stat status{};
  const bool has_file = plan.kind == Kind::unix_stream && !plan.address.starts_with('@') &&
                        ::lstat(plan.address.c_str(), &status) == 0;
  if (!has_file) return made;
  made.path_ = plan.address;
  made.device_ = status.st_dev;
  made.inode_ = status.st_ino;
  return made;
}

ActivationSocket::ActivationSocket(ActivationSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      keeper_(std::exchange(other.keeper_, nullptr)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

ActivationSocket& ActivationSocket::operator=(ActivationSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(keeper_, other.keeper_);
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

ActivationSocket::~ActivationSocket() {
  if (fd_ < 0) return;
  const bool file_stays = keeper_ != nullptr && keeper_->let_go(fd_);
  if (!file_stays && !path_.empty() && is_reachable()) ::unlink(path_.c_str());
  ::close(fd_);
}

bool ActivationSocket::is_reachable() const {
  struct stat status{};
  return path_.empty() ||
         (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_);
}

void ActivationSocket::make_blocking() const {
  const int flags = ::fcntl(fd_, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) != 0) ::fcntl(fd_, F_SETFL, flags & ~O_NONBLOCK);
}

}  // namespace belfry::system
