#include "system/output_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

#include "system/helper_thread.hpp"

namespace belfry::system {

namespace {

// What goes into a pipe in one piece (pipe(7), PIPE_BUF): lines of several writers do not mix.
constexpr std::size_t atomic_write = 4096;
constexpr std::size_t largest_write = std::size_t{64} << 10;
constexpr std::size_t largest_to_target = std::size_t{128} << 10;
constexpr std::size_t most_told_before_end = std::size_t{256} << 10;  // so that the mutex is rarely taken
constexpr std::size_t kept_capacity = std::size_t{16} << 10;

// A piece of `text` that ends with a line, if one does; `whole`: with one that is longer than that, too.
std::string_view piece_of(std::string_view text, std::size_t most, bool whole) {
  if (text.size() <= most) return text;
  std::size_t end = text.rfind('\n', most - 1);
  if (end == std::string_view::npos && whole) end = std::min(text.find('\n', most), text.size() - 1);
  return text.substr(0, end == std::string_view::npos ? most : end + 1);
}

// A last one without its end included.
std::uint64_t lines_in(std::string_view text) {
  if (text.empty()) return 0;
  const auto ends = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  return ends + (text.ends_with('\n') ? 0 : 1);
}

}  // namespace

std::string lost_lines_marker(std::string_view prefix, std::uint64_t lines, std::string_view why) {
  std::string text(prefix);
  text.append("[belfry: ").append(std::to_string(lines)).append(lines == 1 ? " line" : " lines");
  return text.append(" lost here: ").append(why).append("]\n");
}

// Owner: the writer and its thread together.
struct OutputWriter::State {
  State(int d, std::string p, std::move_only_function<void()> m)
      : fd(d), prefix(std::move(p)), moved(std::move(m)) {
    struct stat info{};
    pieces = ::fstat(fd, &info) == 0 && !S_ISREG(info.st_mode);
    pipe = pieces && S_ISFIFO(info.st_mode);
  }

  State(std::unique_ptr<OutputTarget> t, std::move_only_function<void()> m)
      : fd(-1), target(std::move(t)), pieces(false), moved(std::move(m)) {}

  ~State() {
    if (fd_is_own) ::close(fd);
  }

  void run();
  void write_all();
  bool write_piece(std::string_view& rest, std::size_t most);
  ssize_t write_some(std::string_view piece) {
    if (target) return target->write(piece);
    const ssize_t n = ::write(fd, piece.data(), piece.size());
    return n < 0 ? -errno : n;
  }
  [[nodiscard]] std::size_t largest_piece(std::size_t rest) const;
  void tell();
  void tell_when_little_is_left(std::size_t bytes);
  bool wait_until_writable();
  bool mark_what_was_lost();
  void write_what_is_taken_at_once();
  void attend_to_target(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool has_something_to_do() const { return !waiting.empty() || closed || wants_attention; }
  void wait_for_something_to_do(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::size_t unwritten() {
    const std::scoped_lock lock(mutex);
    return batch.size() - begun + waiting.size();
  }
  [[nodiscard]] bool is_idle() const { return waiting.empty() && batch.empty(); }
  void lose(std::string_view rest) {
    const std::uint64_t lines = lines_in(rest);
    lost += lines;
    lost_in_all += lines;
  }

  int fd;
  bool fd_is_own = false;
  const std::unique_ptr<OutputTarget> target;  // null: the descriptor
  const std::string prefix;
  bool pieces = true;
  bool pipe = false;

  std::mutex mutex;                 // of what follows, up to the atomics
  std::condition_variable changed;  // something waits, the thread has all done and told, or it is over
  std::string waiting;
  std::string batch;  // being written: the thread reads it without the mutex, and only reads
  bool thread_sleeps = false;
  bool wants_room = false;
  bool wants_end = false;
  std::size_t told_before_end = 0;  // how many bytes may be left when `wants_end` is answered
  bool wants_attention = false;
  bool closed = false;
  std::string trouble;

  // Of its own mutex: the owner, once told, takes the other one at once, and would have to wait for it.
  std::mutex telling;
  std::move_only_function<void()> moved;  // null: the owner has gone

  std::atomic<bool> abandoned = false;
  std::atomic<bool> in_a_hurry = false;
  std::atomic<std::size_t> begun = 0;  // how much of the batch has been written
  std::atomic<std::uint64_t> written = 0;
  std::atomic<std::uint64_t> lost_in_all = 0;
  std::atomic<int> failure = 0;

  // The thread's own.
  std::uint64_t lost = 0;  // lines of which no marker tells yet
  bool torn = false;       // what was written last was no end of a line
  std::optional<std::chrono::system_clock::time_point> attend_at;
};

void OutputWriter::State::wait_for_something_to_do(std::unique_lock<std::mutex>& lock) {
  const auto ready = [this] { return has_something_to_do(); };
  thread_sleeps = true;
  changed.notify_all();
  if (!attend_at)
    changed.wait(lock, ready);
  else if (!changed.wait_until(lock, *attend_at, ready))
    wants_attention = true;
  thread_sleeps = false;
}

// Without `mutex`.
void OutputWriter::State::tell() {
  const std::scoped_lock lock(telling);
  if (moved) moved();
}

void OutputWriter::State::attend_to_target(std::unique_lock<std::mutex>& lock) {
  if (!std::exchange(wants_attention, false) || !target || closed) return;
  lock.unlock();
  target->attend();
  attend_at = target->attend_at();
  std::string said = target->trouble();
  lock.lock();
  if (said.empty()) return;
  trouble = std::move(said);
  lock.unlock();
  tell();
  lock.lock();
}

void OutputWriter::State::run() {
  std::unique_lock lock(mutex);
  for (;;) {
    wait_for_something_to_do(lock);
    attend_to_target(lock);
    if (abandoned || (waiting.empty() && closed)) return;
    if (waiting.empty()) continue;
    batch.swap(waiting);
    const bool has_room = std::exchange(wants_room, false);
    const bool was_well = failure == 0;
    const std::uint64_t lost_before = lost_in_all;
    lock.unlock();
    if (has_room) tell();
    write_all();
    std::string said = target ? target->trouble() : std::string();
    if (target) attend_at = target->attend_at();
    lock.lock();
    const bool has_news = !said.empty() || lost_in_all != lost_before || (was_well && failure != 0);
    if (!said.empty()) trouble = std::move(said);
    const bool comes_much = batch.size() > batch.capacity() / 4;  // its room goes round with what comes next
    batch.clear();
    begun = 0;
    if (batch.capacity() > kept_capacity && !comes_much) batch.shrink_to_fit();
    const bool is_over = waiting.empty() && std::exchange(wants_end, false);
    if (!has_news && !is_over) continue;
    lock.unlock();
    tell();
    lock.lock();
  }
}

void OutputWriter::State::write_all() {
  std::string_view rest = batch;
  if (lost > 0 && !mark_what_was_lost()) return lose(rest);
  while (!rest.empty() && !abandoned) {
    if (!write_piece(rest, largest_piece(rest.size()))) return lose(rest);
    begun = batch.size() - rest.size();
    if (!rest.empty()) tell_when_little_is_left(rest.size());
  }
}

std::size_t OutputWriter::State::largest_piece(std::size_t rest) const {
  if (target) return largest_to_target;
  if (!pieces) return rest;
  return in_a_hurry ? largest_write : atomic_write;
}

void OutputWriter::State::tell_when_little_is_left(std::size_t bytes) {
  if (bytes > most_told_before_end) return;
  {
    const std::scoped_lock lock(mutex);
    if (!wants_end || bytes > told_before_end || !waiting.empty()) return;
    wants_end = false;
  }
  tell();
}

// False when it cannot be written, whatever one waits for.
bool OutputWriter::State::write_piece(std::string_view& rest, std::size_t most) {
  const std::string_view piece = piece_of(rest, most, target != nullptr);
  const ssize_t n = write_some(piece);
  if (n >= 0) {
    if (n > 0) torn = piece[static_cast<std::size_t>(n) - 1] != '\n';
    rest.remove_prefix(static_cast<std::size_t>(n));
    written += static_cast<std::uint64_t>(n);
    failure = 0;
    return true;
  }
  if (n == -EINTR) return true;
  if (n == -EAGAIN && !target) return wait_until_writable();
  failure = static_cast<int>(-n);
  return false;
}

// Somebody else has made the description that we share non-blocking.
bool OutputWriter::State::wait_until_writable() {
  pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, -1) >= 0 || errno == EINTR) return true;
  failure = errno;
  return false;
}

bool OutputWriter::State::mark_what_was_lost() {
  const std::string why = std::generic_category().message(failure);
  const std::string text =
      (torn ? "\n" : "") + (target ? target->marker(lost, why) : lost_lines_marker(prefix, lost, why));
  std::string_view rest = text;
  while (!rest.empty() && !abandoned) {
    if (!write_piece(rest, rest.size())) return false;
  }
  lost = 0;
  return true;
}

// Without a thread, because there may be no more of them: what is not taken is tried again with the next
// line.
void OutputWriter::State::write_what_is_taken_at_once() {
  if (target && waiting.size() <= 2 * capacity) return;  // it may block, and there may be a thread later
  std::string_view rest = target ? std::string_view() : std::string_view(waiting);
  pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
  while (!rest.empty() && ::poll(&ready, 1, 0) == 1) {
    if (write_piece(rest, atomic_write)) continue;
    lose(rest);
    rest = {};
  }
  if (!target) waiting.erase(0, waiting.size() - rest.size());
  if (waiting.size() <= 2 * capacity) return;
  lose(waiting);
  waiting.clear();
}

OutputWriter::OutputWriter(int descriptor, std::string prefix, std::move_only_function<void()> moved)
    : state_(std::make_shared<State>(descriptor, std::move(prefix), std::move(moved))) {}

OutputWriter::OutputWriter(std::unique_ptr<OutputTarget> target, std::move_only_function<void()> moved)
    : state_(std::make_shared<State>(std::move(target), std::move(moved))) {}

OutputWriter::~OutputWriter() {
  bool stuck = false;
  {
    const std::scoped_lock lock(state_->telling);
    state_->moved = nullptr;
  }
  {
    const std::scoped_lock lock(state_->mutex);
    state_->closed = true;
    stuck = !state_->is_idle();
    state_->abandoned = stuck;
    state_->changed.notify_all();
  }
  if (!started_) return;
  if (stuck)
    ::pthread_detach(thread_);
  else
    ::pthread_join(thread_, nullptr);
}

bool OutputWriter::start() {
  if (started_) return true;
  // Of its own, because the thread may be left behind; without one left it goes by the owner's.
  const int own = state_->fd_is_own || state_->target ? -1 : ::fcntl(state_->fd, F_DUPFD_CLOEXEC, 3);
  if (own >= 0) {
    state_->fd = own;
    state_->fd_is_own = true;
  }
  started_ = start_thread(thread_, "belfry-output", [state = state_] { state->run(); });
  return started_;
}

std::size_t OutputWriter::room() {
  const std::scoped_lock lock(state_->mutex);
  const std::size_t waiting = state_->waiting.size();
  const std::size_t most = state_->target ? capacity_of_target : capacity;
  state_->wants_room = waiting >= most;
  if (state_->wants_room) (void)start();  // a thread that could not be had may be had by now
  return waiting >= most ? 0 : most - waiting;
}

void OutputWriter::put(std::string& lines) {
  if (lines.empty()) return;
  bool sleeps = false;
  {
    const std::scoped_lock lock(state_->mutex);
    if (state_->waiting.empty())
      state_->waiting.swap(lines);
    else
      state_->waiting.append(lines);
    lines.clear();
    if (!start()) state_->write_what_is_taken_at_once();
    sleeps = state_->thread_sleeps;
  }
  if (sleeps) state_->changed.notify_all();  // without the mutex, which it takes at once
}

void OutputWriter::attend() {
  const std::scoped_lock lock(state_->mutex);
  state_->wants_attention = true;
  if (start()) state_->changed.notify_all();
}

void OutputWriter::reopen() {
  if (!state_->target) return;
  state_->target->ask_to_reopen();
  attend();
}

bool OutputWriter::tell_when_written(std::size_t but) {
  const std::scoped_lock lock(state_->mutex);
  state_->told_before_end = but;
  state_->wants_end = !state_->is_idle();
  return state_->wants_end;
}

bool OutputWriter::finish(Duration patience) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(
      lock, patience, [this] { return state_->is_idle() && (!started_ || state_->thread_sleeps); });
}

std::uint64_t OutputWriter::written() const { return state_->written; }

std::uint64_t OutputWriter::unwritten_lines() const {
  const std::scoped_lock lock(state_->mutex);
  return lines_in(std::string_view(state_->batch).substr(state_->begun)) + lines_in(state_->waiting);
}

std::size_t OutputWriter::unwritten() const { return state_->unwritten(); }

std::uint64_t OutputWriter::lost_in_all() const { return state_->lost_in_all; }

std::string OutputWriter::take_trouble() {
  const std::scoped_lock lock(state_->mutex);
  return std::exchange(state_->trouble, {});
}

int OutputWriter::failure() const { return state_->failure; }

std::size_t OutputWriter::enlarge_pipe(int size) {
  if (!state_->pipe) return 0;
  const std::size_t unwritten = state_->unwritten();  // before the thread goes on
  state_->in_a_hurry = true;                          // pages that are filled hold more
  const int before = ::fcntl(state_->fd, F_GETPIPE_SZ);
  while (size > before && ::fcntl(state_->fd, F_SETPIPE_SZ, size) < 0) size /= 2;
  // What was there before may be full; and each write may leave the last one of its pages half empty.
  const auto pages = static_cast<std::size_t>(std::max(size - before, 0));
  const std::size_t gained = pages - pages / 8;
  return gained > unwritten ? gained - unwritten : 0;
}

}  // namespace belfry::system
