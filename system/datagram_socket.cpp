#include "system/datagram_socket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "system/pipe.hpp"
#include "system/proc.hpp"

namespace belfry::system {

namespace {

// SCM_MAX_FD of the kernel: no message carries more.
constexpr std::size_t most_descriptors = 253;

void read_control(msghdr& header, DatagramOrigin& origin, std::vector<OwnedFd>& descriptors) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_CREDENTIALS) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
      origin.pid = credentials.pid;
      origin.uid = credentials.uid;
    } else if (c->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
        descriptors.emplace_back(fd);
      }
    }
  }
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

Result<CredentialSocket> CredentialSocket::bind(std::string path, uid_t owner) {
  const auto failed = [&path](int error, const char* what) {
    return std::unexpected(
        Error::from_errno(error, std::string("cannot ") + what + " the notify socket " + path));
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failed(ENAMETOOLONG, "name");
  std::memcpy(address.sun_path, path.data(), path.size());
  OwnedFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return failed(errno, "make");
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  // Root's services may become somebody else by themselves (mariadbd --user=mysql), and go on speaking. Who
  // speaks is looked at anyway, and the socket's name is nobody else's to know.
  const bool bound =
      ::fchmod(fd.get(), owner == 0 ? 0666 : 0600) == 0 && bind_with_its_mode(fd.get(), address);
  if (!bound) return failed(errno, "bind");
  if (owner != ::geteuid() && ::chown(path.c_str(), owner, static_cast<gid_t>(-1)) != 0) {
    const auto error = failed(errno, "give away");
    ::unlink(path.c_str());
    return error;
  }
  return CredentialSocket(std::move(fd), std::move(path));
}

void CredentialSocket::close() {
  if (!fd_) return;
  fd_.close();
  ::unlink(path_.c_str());
}

ssize_t CredentialSocket::receive(std::span<char> text, DatagramOrigin& origin,
                                  std::vector<OwnedFd>& descriptors) const {
  // Not zeroed: the kernel fills what is read.
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(most_descriptors * sizeof(int))>
      control;
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t length = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) return -errno;
  read_control(header, origin, descriptors);
  origin.text_was_cut = (header.msg_flags & MSG_TRUNC) != 0;
  origin.descriptors_lost = (header.msg_flags & MSG_CTRUNC) != 0;
  return length;
}

// unix(7), max_dgram_qlen; one more is let in.
int CredentialSocket::queue_length() {
  static const int length = [] {
    const std::string text = proc::read_file("/proc/sys/net/unix/max_dgram_qlen");
    int found = 0;
    std::from_chars(text.data(), text.data() + text.size(), found);
    return std::clamp(found, 10, 1024) + 1;
  }();
  return length;
}

OwnedFd connect_datagram_socket(std::string_view address) {
  sockaddr_un to{};
  if (address.size() < 2 || address.size() >= sizeof to.sun_path) return {};
  const bool is_abstract = address.front() == '@';
  if (!is_abstract && address.front() != '/') return {};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address.data(), address.size());
  if (is_abstract) to.sun_path[0] = '\0';
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() + (is_abstract ? 0 : 1));
  OwnedFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0) fd.close();
  return fd;
}

Sent send_datagram(int fd, std::string_view text, int attached) {
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (attached >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &attached, sizeof attached);
  }
  if (::sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return Sent::yes;
  return errno == EAGAIN ? Sent::no_room : Sent::lost;
}

bool send_and_wait(int fd, std::string_view text, Duration at_most) {
  auto pipe = make_pipe();
  if (!pipe || send_datagram(fd, text, pipe->write_end.get()) != Sent::yes) return false;
  pipe->write_end.close();
  const TimePoint until = Clock::now() + at_most;
  for (TimePoint now = Clock::now(); now < until; now = Clock::now()) {
    pollfd end{.fd = pipe->read_end.get(), .events = POLLIN, .revents = 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    if (::poll(&end, 1, static_cast<int>(left.count())) > 0) return true;
  }
  return false;
}

}  // namespace belfry::system
