#include "daemon/notify/socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "channels/loop.hpp"

namespace belfry::daemon {

namespace {

// SCM_MAX_FD of the kernel: no message carries more.
constexpr std::size_t most_descriptors = 253;

// How many datagrams a socket holds unread (unix(7), /proc/sys/net/unix/max_dgram_qlen, one more is let in).
int queue_length() {
  static const int length = [] {
    int found = 0;
    if (std::FILE* file = std::fopen("/proc/sys/net/unix/max_dgram_qlen", "re")) {
      if (std::fscanf(file, "%d", &found) != 1) found = 0;
      std::fclose(file);
    }
    return std::clamp(found, 10, 1024) + 1;
  }();
  return length;
}

struct Attachments {
  NotifySender sender{};
  AttachedDescriptors descriptors;
};

void read_control(msghdr& header, Attachments& found) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_CREDENTIALS) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
      found.sender = {.pid = credentials.pid, .uid = credentials.uid};
    } else if (c->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
        found.descriptors.add(fd);
      }
    }
  }
}

HeardMessage understand(const msghdr& header, std::string_view text, const Attachments& attached) {
  if ((header.msg_flags & MSG_TRUNC) != 0) return std::unexpected(NotifyRefusal::too_long);
  if ((header.msg_flags & MSG_CTRUNC) != 0) return std::unexpected(NotifyRefusal::cut_off);
  if (attached.sender.pid == 0) return std::unexpected(NotifyRefusal::no_credentials);
  HeardMessage message = parse_notify_message(text);
  if (message && message->barrier && attached.descriptors.size() != 1)
    return std::unexpected(NotifyRefusal::bad_barrier);
  return message;
}

// The file gets the mode of the socket less the umask, which is the process's and put back.
bool bind_with_its_mode(int fd, const sockaddr_un& address) {
  const mode_t entry = ::umask(0);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::umask(entry);
  errno = error;
  return bound;
}

}  // namespace

AttachedDescriptors::~AttachedDescriptors() {
  for (const int fd : fds_) ::close(fd);
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
  // Root's services may become somebody else by themselves (mariadbd --user=mysql), and go on speaking. Who
  // speaks is looked at anyway, and the socket's name is nobody else's to know.
  const bool bound = ::fchmod(fd, owner == 0 ? 0666 : 0600) == 0 && bind_with_its_mode(fd, address);
  if (!bound) {
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
void NotifySocket::on_event(std::uint32_t) {
  const TimePoint now = poller_.loop().now();
  if (now - began_at_ >= window) {
    began_at_ = now;
    heard_ = 0;
  }
  if (receiver_ != nullptr) receive_one();
  if (++heard_ >= most_in_a_window && fd_ >= 0) pause();
}

void NotifySocket::pause() {
  poller_.remove(fd_, *this);
  if (!paused_) paused_ = std::make_unique<Timer>(poller_.loop());
  // What cannot be watched again now (no memory) is watched with the next try.
  paused_->arm(began_at_ + window, [this] {
    began_at_ = {};
    if (!poller_.add(fd_, EPOLLIN, *this)) pause();
  });
}

void NotifySocket::drain() {
  for (int i = 0; i < queue_length() && fd_ >= 0 && receive_one(); ++i) {
  }
}

bool NotifySocket::receive_one() {
  // Not zeroed: the kernel fills what is read, and clearing five kilobytes costs more than the rest.
  std::array<char, longest_notify_message + 1> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(most_descriptors * sizeof(int))>
      control;
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t n = ::recvmsg(fd_, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0) return errno == EINTR;
  // Closed at the end of this function at the latest: the sender of BARRIER=1 sees that as its answer, and
  // everything that came before it has been dealt with by then.
  Attachments attached;
  read_control(header, attached);
  const HeardMessage message =
      understand(header, std::string_view(text.data(), static_cast<std::size_t>(n)), attached);
  receiver_->on_message(attached.sender, message, attached.descriptors);
  return true;
}

}  // namespace belfry::daemon
