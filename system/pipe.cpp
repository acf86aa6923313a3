#include "system/pipe.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace belfry::system {

namespace {

void keep_from_blocking(int fd) { ::fcntl(fd, F_SETFL, O_NONBLOCK); }

}  // namespace

OrErrno<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno);
  keep_from_blocking(ends[0]);
  return Pipe{.read_end = OwnedFd(ends[0]), .write_end = OwnedFd(ends[1])};
}

OrErrno<OwnedFd> another_write_end(int read_end) {
  const std::string path = "/proc/self/fd/" + std::to_string(read_end);
  OwnedFd end(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!end) return std::unexpected(errno);
  return end;
}

void enlarge_pipe(int fd, int size) {
  if (::fcntl(fd, F_GETPIPE_SZ) < size) ::fcntl(fd, F_SETPIPE_SZ, size);
}

OrErrno<OwnedFd> make_terminal() {
  OwnedFd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal || ::unlockpt(terminal.get()) != 0) return std::unexpected(errno);
  const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(terminal.get(), TIOCSWINSZ, &size);
  keep_from_blocking(terminal.get());
  return terminal;
}

OrErrno<OwnedFd> open_terminal_line(int terminal) {
  OwnedFd line(::ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!line) return std::unexpected(errno);
  termios mode{};
  if (::tcgetattr(line.get(), &mode) == 0) {
    mode.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    mode.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(line.get(), TCSANOW, &mode);
  }
  return line;
}

ssize_t read_some(int fd, std::span<char> into) {
  const ssize_t got = ::read(fd, into.data(), into.size());
  return got < 0 ? -errno : got;
}

}  // namespace belfry::system
