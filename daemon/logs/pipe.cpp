#include "daemon/logs/pipe.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

namespace belfry::daemon {

namespace {
constexpr std::size_t read_size = std::size_t{64} << 10;
constexpr int most_reads = 16;  // a pipe may hold 1 MiB (proc(5), pipe-max-size)
}  // namespace

LogPipe::LogPipe(Poller& poller, LogPump& pump, std::string_view name, LineStyle style, bool terminal)
    : poller_(poller), pump_(pump), lines_(name, style), terminal_(terminal) {}

LogPipe::~LogPipe() {
  if (is_open()) close();
  pump_.forget(lines_);
}

Result<int> LogPipe::open_write_end() { return terminal_ ? open_terminal() : open_pipe(); }

Result<int> LogPipe::open_pipe() {
  if (is_open()) {
    // Somebody of the last run still writes: the same pipe serves the next one, so that nothing is lost.
    const std::string path = "/proc/self/fd/" + std::to_string(read_);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd >= 0) return fd;
    if (errno == EMFILE || errno == ENFILE)
      return std::unexpected(Error::from_errno(errno, "cannot open the log pipe again"));
    close();
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return std::unexpected(Error::from_errno(errno, "cannot make a log pipe"));
  struct stat info{};
  ::fstat(ends[0], &info);
  inode_ = info.st_ino;
  if (auto ok = listen_to(ends[0]); !ok) {
    ::close(ends[1]);
    return std::unexpected(ok.error());
  }
  return ends[1];
}

// Lines come as they were written: no echo, and no carriage return before a newline.
Result<int> LogPipe::open_terminal() {
  const auto failed = [] { return std::unexpected(Error::from_errno(errno, "cannot make a terminal")); };
  if (!is_open()) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || ::unlockpt(master) != 0) {
      const auto error = failed();
      if (master >= 0) ::close(master);
      return error;
    }
    const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(master, TIOCSWINSZ, &size);
    if (auto ok = listen_to(master); !ok) return std::unexpected(ok.error());
  }
  const int slave = ::ioctl(read_, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return failed();
  termios mode{};
  if (::tcgetattr(slave, &mode) == 0) {
    mode.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    mode.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(slave, TCSANOW, &mode);
  }
  return slave;
}

Result<void> LogPipe::listen_to(int read_end) {
  read_ = read_end;
  ::fcntl(read_, F_SETFL, O_NONBLOCK);
  auto ok = poller_.add(read_, EPOLLIN, *this);
  if (!ok) close();
  return ok;
}

void LogPipe::drain() {
  for (int reads = 0; reads < most_reads && is_open() && read_once(); ++reads) {
  }
}

// One read an event: a flood does not keep the loop from the others, and the event comes again. Also of an
// end without data: the kernel looks for both one after the other, and a last line may come in between.
void LogPipe::on_event(std::uint32_t) {
  if (read_once() && pump_.rests(*this, lines_)) poller_.remove(read_, *this);
}

void LogPipe::go_on() {
  if (!poller_.add(read_, EPOLLIN, *this)) close();
}

bool LogPipe::read_once() {
  static std::array<char, read_size> buffer;
  const ssize_t n = ::read(read_, buffer.data(), buffer.size());
  if (n < 0 && errno == EINTR) return true;
  if (n == 0 || (n < 0 && terminal_ && errno == EIO)) {  // EIO: nobody has the terminal open (pty(7))
    close();
    return false;
  }
  if (n < 0) return false;
  lines_.take(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
  pump_.dirty(lines_);
  return true;
}

void LogPipe::close() {
  pump_.forget_source(*this);
  poller_.close(std::exchange(read_, -1), *this);
  lines_.finish();
  pump_.dirty(lines_);
}

}  // namespace belfry::daemon
