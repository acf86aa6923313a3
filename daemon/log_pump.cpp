#include "daemon/log_pump.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace belfry::daemon {

namespace {
// What a pipe or terminal that says it is writable takes for sure without blocking (pipe(7), PIPE_BUF).
constexpr std::size_t sure_write = 4096;
constexpr std::size_t read_size = std::size_t{64} << 10;
}  // namespace

LogLines::LogLines(std::string_view name) : prefix_(std::string(name) + " | ") {}

void LogLines::take(std::string_view bytes) {
  for (;;) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) break;
    if (partial_.empty()) {
      add_line(bytes.substr(0, end));
    } else {
      partial_.append(bytes.substr(0, end));
      finish();
    }
    bytes.remove_prefix(end + 1);
  }
  partial_.append(bytes);
  if (partial_.size() >= longest_line) finish();
}

void LogLines::finish() {
  if (partial_.empty()) return;
  add_line(partial_);
  partial_.clear();
  partial_.shrink_to_fit();
}

void LogLines::add_line(std::string_view line) {
  if (listener != nullptr) listener->on_line(line);
  held_.append(prefix_).append(line).push_back('\n');
  if (held_.size() - begin_ > most_held) drop_oldest();
}

// Drops an eighth at once, so that a flood does not move the rest for every line.
void LogLines::drop_oldest() {
  const std::size_t target = begin_ + most_held / 8;
  const std::size_t end = held_.find('\n', target) + 1;
  const auto dropped =
      static_cast<std::uint64_t>(std::count(held_.begin() + static_cast<std::ptrdiff_t>(begin_),
                                            held_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
  lost_ += dropped;
  lost_in_all_ += dropped;
  held_.erase(0, end);
  begin_ = 0;
}

std::string_view LogLines::pending() {
  if (lost_ > 0) {
    held_.insert(begin_,
                 prefix_ + "[belfry: " + std::to_string(lost_) + " lines lost here: output was too slow]\n");
    lost_ = 0;
  }
  return std::string_view(held_).substr(begin_);
}

void LogLines::written(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ < held_.size()) return;
  begin_ = 0;
  held_.clear();
  if (held_.capacity() > 4096) held_.shrink_to_fit();
}

LogPump::LogPump(Loop& loop, Poller& poller, int output)
    : loop_(loop), poller_(poller), output_(output), own_("belfry") {
  struct stat info{};
  regular_file_ = ::fstat(output_, &info) == 0 && S_ISREG(info.st_mode);
}

LogPump::~LogPump() {
  if (waiting_) poller_.remove(output_, *this);
}

void LogPump::dirty(LogLines& lines) {
  if (lines.empty() || lines.queued) return;
  lines.queued = true;
  dirty_.push_back(&lines);
  if (flush_posted_ || waiting_) return;
  flush_posted_ = true;
  // Nobody waits for it: what the news of this line starts comes first.
  loop_.afterwards([this] {
    flush_posted_ = false;
    flush();
  });
}

void LogPump::forget(LogLines& lines) {
  if (!lines.queued) return;
  write_some(lines);
  std::erase(dirty_, &lines);
}

void LogPump::say(std::string_view text) {
  own_.take(text);
  own_.take("\n");
  dirty(own_);
}

void LogPump::flush() {
  std::size_t at = 0;
  while (at < dirty_.size()) {
    if (!write_some(*dirty_[at])) break;
    dirty_[at]->queued = false;
    ++at;
  }
  dirty_.erase(dirty_.begin(), dirty_.begin() + static_cast<std::ptrdiff_t>(at));
  if (!dirty_.empty()) wait_until_writable();
}

// True when all of it went out.
bool LogPump::write_some(LogLines& lines) {
  while (!lines.empty()) {
    const std::string_view text = lines.pending();
    pollfd ready{.fd = output_, .events = POLLOUT, .revents = 0};
    if (!regular_file_ && (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)) {
      if ((ready.revents & (POLLERR | POLLNVAL)) == 0) return false;
      lines.written(text.size());  // nobody will ever read it
      continue;
    }
    const ssize_t n =
        ::write(output_, text.data(), regular_file_ ? text.size() : std::min(text.size(), sure_write));
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return false;
      lines.written(text.size());  // a full disk or a closed reader: the services go on
      continue;
    }
    lines.written(static_cast<std::size_t>(n));
  }
  return true;
}

void LogPump::wait_until_writable() {
  if (waiting_) return;
  waiting_ = poller_.add(output_, EPOLLOUT, *this).has_value();
}

void LogPump::on_event(std::uint32_t) {
  poller_.remove(output_, *this);
  waiting_ = false;
  flush();
}

LogPipe::LogPipe(Poller& poller, LogPump& pump, std::string_view name, bool terminal)
    : poller_(poller), pump_(pump), lines_(name), terminal_(terminal) {}

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
  while (is_open() && read_once()) {
  }
}

// One read an event: a flood does not keep the loop from the others, and the event comes again. Also of an
// end without data: the kernel looks for both one after the other, and a last line may come in between.
void LogPipe::on_event(std::uint32_t) { read_once(); }

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
  poller_.close(std::exchange(read_, -1), *this);
  lines_.finish();
  pump_.dirty(lines_);
}

}  // namespace belfry::daemon
