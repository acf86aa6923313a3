// Brings what services write to one output: belfry's own, a file, a log daemon.
//
// belfry never blocks: a thread writes (system/output_writer.hpp). A service is never held up by a slow
// reader of belfry's output: what can't be written is held, up to a bound for each service; then the oldest
// lines go, and a line says how many. A fast reader loses nothing: a source that is faster still rests as
// long as the reader takes 10 MiB a second, and otherwise for a tenth of a second, once until all it wrote
// has gone out. A source that asks for it (LineStyle::may_drop) rests for as long as it takes.
//
// A flood and the thread that writes it take turns: what has been read is written before more is read. So
// they take one processor together, and not two; and what lies between them stays in its cache.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/mailbox.hpp"
#include "channels/task.hpp"
#include "channels/timer_queue.hpp"
#include "channels/wakeup.hpp"
#include "daemon/logs/lines.hpp"
#include "system/output_writer.hpp"

namespace belfry::daemon {

// Where lines come from, and what can be left unread for a moment.
class LogSource {
 public:
  virtual void go_on() = 0;

 protected:
  ~LogSource() = default;
};

// Where the lines go: something that may be slow. Never blocks.
// Owner: the Daemon, or its resources. Lifecycle: drain() at the end gives a late reader its time; what is
// left in the
//   destructor is given up. Cancellation: the context of drain().
class LogPump {
 public:
  LogPump(Loop& loop, int output);
  // To a target of another kind; `style` is that of the lines of belfry's own.
  LogPump(Loop& loop, std::unique_ptr<system::OutputTarget> target, LineStyle style);
  ~LogPump();
  LogPump(const LogPump&) = delete;
  LogPump& operator=(const LogPump&) = delete;

  // `lines` have something to write. They must be taken out before they go; what they hold is kept.
  void dirty(LogLines& lines);
  void forget(LogLines& lines);
  // A line of belfry's own; whole lines of belfry's own, without its name in front.
  void say(std::string_view text);
  void print(std::string_view lines);
  // Who is given each line of belfry's own besides, and whatever else of belfry's is to be found there; null:
  // nobody.
  void keep_own_at(LineSink* sink) { own_kept_ = sink; }
  void keep_own(std::string_view text);
  // Hands over what there is room for.
  void flush();

  // Whether `source`, which has just been read into `lines`, had better not be read now: go_on() is called
  // when there is room again, or after a moment in any case if it may lose lines. `floods`: it writes faster
  // than it is read.
  bool rests(LogSource& source, LogLines& lines, bool floods);
  void forget_source(LogSource& source);

  // At the end: writes everything as long as somebody reads, which is the case until nothing has moved for
  // two seconds; until `by`, or until `hurry` is notified. Then a pipe is made larger for the last lines,
  // with a marker of those before. The lines of which nothing tells, because the output takes nothing at all.
  Task<std::uint64_t> drain(Context& ctx, Wakeup& hurry, TimePoint by);
  // The same without a loop, and simpler: whether all has been written.
  bool finish(Duration patience);
  // Whether nothing is left to write; on_moved is called when that is so.
  [[nodiscard]] bool has_written_all();
  // What it has open is opened again, and what is to be done without lines is done.
  void reopen() { writer_.reopen(); }
  void attend() { writer_.attend(); }

  // On a terminal with something at its bottom: called with whole lines that are about to be written, to put
  // into them what keeps it there. Without lines, when redraw() asks for it.
  std::function<void(std::string&)> frame;
  // Draws that again, if there is room; what has no room now is drawn with the next lines.
  void redraw();

  // Called with an errno when writing fails, and again when it fails for another reason.
  std::function<void(int)> on_failure;
  // Called when lines could not be written, with how many more; and with what else went wrong, in words.
  std::function<void(std::uint64_t)> on_unwritten;
  std::function<void(const std::string&)> on_trouble;

  // Called when the output has taken something that somebody waits for; it is no place to destroy the pump.
  std::function<void()> on_moved;

  [[nodiscard]] int output() const { return output_; }
  [[nodiscard]] bool is_terminal() const { return terminal_; }

 private:
  struct Resting {
    LogSource* source;
    LogLines* lines;
  };
  void fill_batch(std::size_t room);
  void moved();
  [[nodiscard]] std::size_t outstanding() const;
  void tell_news();
  void watch_progress();
  enum class Why : std::uint8_t { written, time_has_passed, it_takes_too_long };
  static bool may_go_on(const LogLines& lines, Why why);
  void let_go_on(Why why);
  void keep_what_fits(std::size_t bytes);
  [[nodiscard]] std::uint64_t unwritten_lines() const;
  enum class WrittenOut : std::uint8_t { all, too_slowly, hurried };
  Task<WrittenOut> write_out(Context& ctx, Wakeup& hurry, TimePoint by, Duration silence);

  Loop& loop_;
  Wakeup moved_;
  Mailbox mailbox_;
  system::OutputWriter writer_;
  int output_;
  bool terminal_;
  bool flush_posted_ = false;
  int reported_ = 0;
  std::uint64_t unwritten_told_ = 0;
  Timer patience_;
  LogLines own_;
  LineSink* own_kept_ = nullptr;
  std::string batch_;
  std::deque<LogLines*> dirty_;
  std::vector<Resting> resting_;
};

}  // namespace belfry::daemon
