// Brings what services write to belfry's own standard output, a line at a time, behind the service's name.
//
// A service is never held up by a slow reader of belfry's output, and belfry never blocks: what can't be
// written is held, up to a bound for each service; then the oldest lines go, and a line says how many.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "daemon/poller.hpp"

namespace belfry::daemon {

// Hears each line of a service as it wrote it, before anything is dropped.
class LineListener {
 public:
  virtual void on_line(std::string_view line) = 0;

 protected:
  ~LineListener() = default;
};

// Lines of one source on their way out.
// Owner: LogPump or a LogPipe. Lifecycle: as its source. Cancellation: none.
class LogLines {
 public:
  static constexpr std::size_t most_held = std::size_t{1} << 20;
  static constexpr std::size_t longest_line = std::size_t{64} << 10;

  explicit LogLines(std::string_view name);
  // Splits into lines; an unfinished one waits for its end, or for finish().
  void take(std::string_view bytes);
  void finish();
  [[nodiscard]] bool empty() const { return held_.empty() && lost_ == 0; }
  // What may be written now, whole lines, the marker of lost ones first; `written` says how much of it was.
  [[nodiscard]] std::string_view pending();
  void written(std::size_t bytes);
  [[nodiscard]] std::uint64_t lost_in_all() const { return lost_in_all_; }

  LineListener* listener = nullptr;  // of whoever owns the source
  bool queued = false;               // the pump's: it is in the list of those that have something to write

 private:
  void add_line(std::string_view line);
  void drop_oldest();

  std::string prefix_;
  std::string partial_;
  std::string held_;
  std::size_t begin_ = 0;  // of what has not been written in held_
  std::uint64_t lost_ = 0;
  std::uint64_t lost_in_all_ = 0;
};

// Where the lines go: a descriptor that may be slow. Never blocks.
// Owner: App. Lifecycle: flush() at the end writes what can be written. Cancellation: none.
class LogPump final : PollWatcher {
 public:
  LogPump(Loop& loop, Poller& poller, int output);
  ~LogPump();

  // `lines` have something to write. They must be taken out before they go.
  void dirty(LogLines& lines);
  void forget(LogLines& lines);
  // A line of belfry's own.
  void say(std::string_view text);
  // Writes what can be written without waiting.
  void flush();

 private:
  void on_event(std::uint32_t events) override;
  bool write_some(LogLines& lines);
  void wait_until_writable();

  Loop& loop_;
  Poller& poller_;
  int output_;
  bool regular_file_ = false;
  bool waiting_ = false;
  bool flush_posted_ = false;
  LogLines own_;
  std::vector<LogLines*> dirty_;
};

// The pipe that a service writes to; with `tty` a terminal (pty(7)) instead, whose input is empty.
// Owner: the provisions of the service. Lifecycle: open for as long as somebody may write; outlives restarts.
// Cancellation: none; closing it is the end.
class LogPipe final : PollWatcher {
 public:
  LogPipe(Poller& poller, LogPump& pump, std::string_view name, bool terminal = false);
  ~LogPipe();

  // A write end for the next run, the caller's to close. Of a terminal: open for reading as well.
  Result<int> open_write_end();
  void drain();
  // From now on `listener` hears every line; null: nobody.
  void tell(LineListener* listener) { lines_.listener = listener; }
  [[nodiscard]] ino_t inode() const { return inode_; }
  [[nodiscard]] bool is_open() const { return read_ >= 0; }
  [[nodiscard]] std::uint64_t lines_lost() const { return lines_.lost_in_all(); }

 private:
  void on_event(std::uint32_t events) override;
  Result<int> open_pipe();
  Result<int> open_terminal();
  Result<void> listen_to(int read_end);
  // False when the pipe is empty or has ended.
  bool read_once();
  void close();

  Poller& poller_;
  LogPump& pump_;
  LogLines lines_;
  bool terminal_;
  int read_ = -1;
  ino_t inode_ = 0;
};

}  // namespace belfry::daemon
