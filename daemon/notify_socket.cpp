#include "daemon/notify_socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace belfry::daemon {

namespace {

// Bounds what is read of a flood before an exit is judged.
constexpr int most_drained = 1024;
constexpr int longest_ancestry = 64;

pid_t parent_of(pid_t pid) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  std::FILE* file = std::fopen(path.data(), "re");
  if (file == nullptr) return 0;
  std::array<char, 512> line{};
  const std::size_t n = std::fread(line.data(), 1, line.size() - 1, file);
  std::fclose(file);
  // The name is in parentheses and may contain anything: what follows the last one is safe to parse.
  const std::string_view text(line.data(), n);
  const std::size_t end = text.rfind(')');
  int parent = 0;
  char state = 0;
  if (end == std::string_view::npos || std::sscanf(line.data() + end + 1, " %c %d", &state, &parent) != 2)
    return 0;
  return parent;
}

}  // namespace

bool may_speak_for(pid_t pid, pid_t leader) {
  if (pid == leader) return true;
  const pid_t session = ::getsid(pid);
  if (session < 0) return errno == ESRCH;  // gone already: its socket says whose it was
  if (session == leader || ::getpgid(pid) == leader) return true;
  for (int i = 0; i < longest_ancestry && pid > 1; ++i) {
    pid = parent_of(pid);
    if (pid == leader) return true;
  }
  return false;
}

NotifySocket::~NotifySocket() {
  if (fd_ < 0) return;
  poller_.forget(*this);
  ::close(fd_);
  ::unlink(path_.c_str());
}

Result<void> NotifySocket::open(std::string path, uid_t owner) {
  static const uid_t self = ::geteuid();
  const auto failed = [&path](const char* what) {
    return std::unexpected(
        Error::from_errno(errno, std::string("cannot ") + what + " the notify socket " + path));
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return failed("name");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed("make");
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  if (::fchmod(fd, 0600) != 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const auto error = failed("bind");
    ::close(fd);
    return error;
  }
  if (owner != self && ::chown(path.c_str(), owner, static_cast<gid_t>(-1)) != 0) {
    const auto error = failed("give away");
    ::close(fd);
    ::unlink(path.c_str());
    return error;
  }
  fd_ = fd;
  path_ = std::move(path);
  return poller_.add(fd_, EPOLLIN, *this);
}

// One message an event: the event comes again while there are more, and the others have their turn.
void NotifySocket::on_event(std::uint32_t) { receive_one(); }

void NotifySocket::drain() {
  // Bounded: a sender that is faster than the loop does not get to hold it.
  for (int i = 0; i < most_drained && fd_ >= 0 && receive_one(); ++i) {
  }
}

bool NotifySocket::receive_one() {
  std::array<char, longest_notify_message + 1> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(253 * sizeof(int))> control{};
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t n = ::recvmsg(fd_, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0) return errno == EINTR;
  NotifySender sender;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_CREDENTIALS) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
      sender = {.pid = credentials.pid, .uid = credentials.uid};
    } else if (c->cmsg_type == SCM_RIGHTS) {
      // Descriptors are not kept. Closing the one of BARRIER=1 is its answer: all before it has been read.
      const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
        ::close(fd);
      }
    }
  }
  const bool cut = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || sender.pid == 0;
  receiver_.on_message(
      sender, cut ? Result<NotifyMessage>(std::unexpected(
                        Error(Error::Kind::invalid, "cannot take a notify message: it was cut off")))
                  : parse_notify_message(std::string_view(text.data(), static_cast<std::size_t>(n))));
  return true;
}

}  // namespace belfry::daemon
