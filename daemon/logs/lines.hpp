// Lines of one source on their way out, each behind the source's name.
//
// What cannot be written yet is held, up to a bound; then the oldest lines go, and a line says how many. A
// line that is longer than its bound is cut into pieces that say so at both ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::daemon {

// Is told each line of a service as the service wrote it, before anything is dropped.
class LineListener {
 public:
  virtual void on_line(std::string_view line) = 0;
  // A line whose end has not come, and its writer has ended; it goes on in the next on_line() if somebody
  // else writes the rest.
  virtual void on_unfinished(std::string_view) {}
  // Whatever is told next comes in one turn. How many bytes of it are to be read, so that looking at them
  // keeps nobody else waiting; where they cannot be left for the next turn, more are read all the same.
  virtual std::size_t on_turn() { return std::size_t{1} << 20; }

 protected:
  ~LineListener() = default;
};

// What becomes of the lines of a source.
struct LineStyle {
  std::uint32_t longest = std::uint32_t{1} << 20;  // bytes; a longer line is cut
  bool for_terminal = false;                       // without what a terminal would obey, but with its colours
  bool silent = false;                             // told to the listener, but not written
};

class LogLines {
 public:
  static constexpr std::size_t most_held = std::size_t{1} << 20;
  // At the end of a piece that goes on in the next line, and at the beginning of that one.
  static constexpr std::string_view cut_mark = " [belfry: line cut here, goes on below]";
  static constexpr std::string_view continued_mark = "[belfry: line continued] ";

  explicit LogLines(std::string_view name, LineStyle style = {});
  // Splits into lines; an unfinished one waits for its end, or for finish().
  void take(std::string_view bytes);
  void finish();
  // Its writer has ended, but others may write on: the listener hears what there is of the last line.
  void tell_unfinished();
  // Whole lines as they are, without a name.
  void print(std::string_view lines);
  // What `other` still holds, behind its own.
  void take_over(LogLines& other);

  [[nodiscard]] bool empty() const { return held_.empty() && lost_ == 0; }
  [[nodiscard]] std::size_t held() const { return held_.size() - begin_; }
  // Moves whole lines to the end of `out`: about `most` bytes of them, at least one; the marker of lost ones
  // comes first.
  void move_to(std::string& out, std::size_t most);
  // Drops the oldest lines, and counts them, until at most so many bytes are held, or one line.
  void keep_newest(std::size_t most);
  [[nodiscard]] std::uint64_t lines() const;
  [[nodiscard]] std::uint64_t lost_in_all() const { return lost_in_all_; }

  LineListener* listener = nullptr;  // of whoever owns the source
  bool queued = false;               // the pump's: it is in the list of those that have something to write
  bool impatient = false;            // the pump's: its source has been held up long enough

 private:
  void add_part(std::string_view part, bool ends);
  void add_line(std::string_view line, bool goes_on);
  void hold(std::string_view line, bool goes_on);

  bool continued_ = false;  // what comes next is the rest of a line that was cut
  LineStyle style_;
  std::uint32_t begin_ = 0;  // of what has not been moved in held_, always of a line
  std::uint32_t longest_held_ = 0;
  std::string prefix_;
  std::string partial_;
  std::string held_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_in_all_ = 0;
};

// `line` for a terminal: colours (SGR, ECMA-48 8.3.117) pass and end with the line; whatever else a terminal
// would obey is shown as U+FFFD. The carriage return of a line that ends with one is left out.
void append_for_terminal(std::string& out, std::string_view line);

}  // namespace belfry::daemon
