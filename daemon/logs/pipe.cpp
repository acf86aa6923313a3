#include "daemon/logs/pipe.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "system/file_facts.hpp"
#include "system/pipe.hpp"

namespace belfry::daemon {

namespace {
constexpr std::size_t read_size = std::size_t{64} << 10;
constexpr std::size_t last_words_kept = std::size_t{2} << 10;
constexpr std::size_t turn_of_a_flood = std::size_t{512} << 10;
constexpr int pipe_of_a_flood = 1 << 19;  // its service writes while belfry does
constexpr int most_reads = 16;            // a pipe may hold 1 MiB (proc(5), pipe-max-size)
}  // namespace

LogPipe::LogPipe(system::Poller& poller, LogOutputs& outputs, LogPipeOptions options)
    : poller_(poller), outputs_(outputs), options_(options), splitter_(outputs, options.longest_line) {}

LogPipe::~LogPipe() {
  if (is_open()) close();
}

Result<system::OwnedFd> LogPipe::open_write_end() {
  return options_.terminal ? open_terminal() : open_pipe();
}

Result<system::OwnedFd> LogPipe::open_pipe() {
  if (is_open()) {
    // A process of the last run still writes: the same pipe serves the next run, so that nothing is lost.
    auto again = system::another_write_end(read_.get());
    if (again) return std::move(*again);
    if (again.error() == EMFILE || again.error() == ENFILE)
      return std::unexpected(Error::from_errno(again.error(), "cannot open the log pipe again"));
    close();
  }
  auto made = system::make_pipe();
  if (!made) return std::unexpected(Error::from_errno(made.error(), "cannot make a log pipe"));
  enlarged_ = false;
  inode_ = system::inode_of(made->read_end.get());
  if (auto ok = listen_to(std::move(made->read_end)); !ok) return std::unexpected(ok.error());
  return std::move(made->write_end);
}

Result<system::OwnedFd> LogPipe::open_terminal() {
  const auto failed = [](int error) {
    return std::unexpected(Error::from_errno(error, "cannot make a terminal"));
  };
  if (!is_open()) {
    auto made = system::make_terminal();
    if (!made) return failed(made.error());
    if (auto ok = listen_to(std::move(*made)); !ok) return std::unexpected(ok.error());
  }
  auto line = system::open_terminal_line(read_.get());
  if (!line) return failed(line.error());
  return std::move(*line);
}

Result<void> LogPipe::listen_to(system::OwnedFd read_end) {
  read_ = std::move(read_end);
  auto ok = poller_.add(read_.get(), EPOLLIN, *this);
  if (!ok) close();
  return ok;
}

void LogPipe::drain() {
  (void)begin_turn();
  for (int reads = 0; reads < most_reads && is_open() && read_once(read_size) != Read::nothing; ++reads) {
  }
}

void LogPipe::drain_last_words() {
  outputs_.begin_last_words();
  drain();
  splitter_.tell_unfinished();
}

// A few reads for each event, so that a flood does not keep the loop from the others; the event comes again.
// It is read also when the kernel tells the end alone: it looks for data first and for the end afterwards,
// and a last line may come in between.
void LogPipe::on_event(std::uint32_t) {
  const std::size_t most = begin_turn();
  const bool may_go_on = splitter_.listener == nullptr;
  Read read = read_once(most);
  const bool floods = read == Read::much;
  for (std::size_t bytes = most;
       may_go_on && read == Read::much && bytes < turn_of_a_flood && outputs_.has_room(); bytes += most)
    read = read_once(most);
  if (!is_open()) return;
  if (floods && !std::exchange(enlarged_, true)) system::enlarge_pipe(read_.get(), pipe_of_a_flood);
  if (outputs_.rests(*this, floods)) poller_.remove(read_.get(), *this);
}

void LogPipe::go_on() {
  if (!poller_.add(read_.get(), EPOLLIN, *this)) close();
}

// How many bytes are read at once.
std::size_t LogPipe::begin_turn() {
  const std::size_t most = outputs_.most_to_read();
  return splitter_.listener == nullptr ? most : std::min(most, splitter_.listener->on_turn());
}

LineOrigin LogPipe::origin() const {
  return {.at = std::chrono::system_clock::now(), .incarnation = incarnation_, .stream = options_.stream};
}

LogPipe::Read LogPipe::read_once(std::size_t most) {
  static std::array<char, read_size> buffer;
  const ssize_t got = system::read_some(read_.get(), std::span(buffer).first(most));
  if (got == -EINTR) return Read::some;
  if (got == 0 || (options_.terminal && got == -EIO)) {  // EIO: no process has the terminal open (pty(7))
    close();
    return Read::nothing;
  }
  if (got < 0) return Read::nothing;
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  splitter_.take(bytes, origin());
  keep(bytes);
  return bytes.size() >= most / 2 ? Read::much : Read::some;
}

// Cut once in 2 KiB, so that a line costs its own copy and no more.
void LogPipe::keep(std::string_view bytes) {
  bytes = bytes.substr(bytes.size() - std::min(bytes.size(), last_words_kept));
  if (last_words_.size() + bytes.size() > 2 * last_words_kept)
    last_words_.erase(0, last_words_.size() - std::min(last_words_.size(), last_words_kept));
  last_words_.append(bytes);
}

void LogPipe::close() {
  outputs_.forget_source(*this);
  poller_.close(std::move(read_), *this);
  splitter_.finish(origin());
}

}  // namespace belfry::daemon
