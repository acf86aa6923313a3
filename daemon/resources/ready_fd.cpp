#include "daemon/resources/ready_fd.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace belfry::daemon {

namespace {

// Nobody who means "ready" writes more before the newline; a descriptor that is mistaken for a log would
// keep the loop busy.
constexpr std::uint32_t longest_message = 64 * 1024;

void close_one(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

Result<int> ReadyFd::open() {
  if (write_end_ >= 0) return write_end_;
  close();
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return std::unexpected(
        Error::from_errno(errno, "cannot make the pipe of ready fd " + std::to_string(probe_.fd)));
  read_end_ = ends[0];
  write_end_ = ends[1];
  // Only our end: the service shall find a descriptor that blocks, as a pipe of any supervisor does.
  ::fcntl(read_end_, F_SETFL, O_NONBLOCK);
  if (auto ok = poller_.add(read_end_, EPOLLIN, *this); !ok) {
    close();
    return std::unexpected(ok.error());
  }
  return write_end_;
}

void ReadyFd::passed() { close_one(write_end_); }

void ReadyFd::close() {
  close_one(write_end_);
  close_read_end();
  bytes_ = 0;
}

void ReadyFd::close_read_end() {
  if (read_end_ >= 0) poller_.close(std::exchange(read_end_, -1), *this);
}

// One read an event: the event comes again while there is more, and the others have their turn.
void ReadyFd::on_event(std::uint32_t) { read_some(); }

void ReadyFd::drain() {
  while (read_end_ >= 0 && read_some()) {
  }
}

bool ReadyFd::read_some() {
  std::array<char, 4096> block{};
  const ssize_t got = ::read(read_end_, block.data(), block.size());
  if (got < 0) return errno == EINTR;
  const std::string fd = "descriptor " + std::to_string(probe_.fd);
  const char* const wanted = probe_.dialect == config::FdDialect::s6 ? "a newline" : "a byte";
  if (got == 0) {
    give_up(
        Error(Error::Kind::failed, "cannot become ready: it closed " + fd + " before it wrote " + wanted));
    return false;
  }
  const std::string_view written(block.data(), static_cast<std::size_t>(got));
  if (probe_.dialect == config::FdDialect::dinit || std::ranges::find(written, '\n') != written.end()) {
    close_read_end();  // as s6 and dinit do: nothing else is said there
    listener_.wrote_ready(probe_);
    return false;
  }
  bytes_ += static_cast<std::uint32_t>(got);
  if (bytes_ < longest_message) return true;
  give_up(Error(Error::Kind::failed, "cannot become ready: it wrote " + std::to_string(bytes_) +
                                         " bytes to " + fd + " and no newline"));
  return false;
}

void ReadyFd::give_up(const Error& why) {
  close_read_end();
  listener_.closed_unready(probe_, why);
}

}  // namespace belfry::daemon
