#include "daemon/resources/ready_fd.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "system/pipe.hpp"

namespace belfry::daemon {

namespace {

// A service that means "ready" does not write more than this before the newline, and one that takes the
// descriptor for a log would keep the loop busy.
constexpr std::uint32_t longest_message = 64 * 1024;

}  // namespace

Result<int> ReadyFd::open() {
  if (write_end_) return write_end_.get();
  close();
  auto made = system::make_pipe();
  if (!made)
    return std::unexpected(
        Error::from_errno(made.error(), "cannot make the pipe of ready fd " + std::to_string(probe_.fd)));
  read_end_ = std::move(made->read_end);
  write_end_ = std::move(made->write_end);
  if (auto ok = poller_.add(read_end_.get(), EPOLLIN, *this); !ok) {
    close();
    return std::unexpected(ok.error());
  }
  return write_end_.get();
}

void ReadyFd::close() {
  write_end_.close();
  close_read_end();
  bytes_ = 0;
}

void ReadyFd::close_read_end() {
  if (read_end_) poller_.close(std::move(read_end_), *this);
}

// One read an event: the event comes again while there is more, and the others have their turn.
void ReadyFd::on_event(std::uint32_t) { read_some(); }

void ReadyFd::drain() {
  while (read_end_ && read_some()) {
  }
}

bool ReadyFd::read_some() {
  std::array<char, 4096> block{};
  const ssize_t got = system::read_some(read_end_.get(), block);
  if (got < 0) return got == -EINTR;
  const std::string fd = "descriptor " + std::to_string(probe_.fd);
  const char* const wanted = probe_.dialect == config::FdDialect::s6 ? "a newline" : "a byte";
  if (got == 0) {
    give_up(Error::failed("cannot become ready: it closed " + fd + " before it wrote " + wanted));
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
  give_up(Error::failed("cannot become ready: it wrote " + std::to_string(bytes_) + " bytes to " + fd +
                        " and no newline"));
  return false;
}

void ReadyFd::give_up(const Error& why) {
  close_read_end();
  listener_.closed_unready(probe_, why);
}

}  // namespace belfry::daemon
