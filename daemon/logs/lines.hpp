// Lines of one source on their way to one output, in the form they have there.
//
// What cannot be written yet is held, up to a bound; then the oldest lines go, and a line says how many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/logs/line_format.hpp"

namespace belfry::daemon {

// Owner: whoever has the source; the pump it is queued at knows it. Lifecycle: outlives restarts.
class LogLines final : public LineSink {
 public:
  static constexpr std::size_t most_held = std::size_t{1} << 20;
  // Of a source that waits instead of dropping lines, but that may still write a pipe full when it ends.
  static constexpr std::size_t most_held_back = 4 * most_held;

  explicit LogLines(std::string_view name, LineStyle style = {});
  void add(const LogText& text, const LineOrigin& origin) override;
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
  [[nodiscard]] bool may_drop() const { return format_.style().may_drop; }

  // What it adds now are the last words of a writer, of which a pipe holds more than is held otherwise; until
  // all has been moved out.
  bool at_an_end = false;
  // Its source writes as fast as it can: what has been moved out leaves its room behind, for what comes next.
  bool floods = false;
  bool queued = false;     // the pump's: it is in the list of those that have something to write
  bool impatient = false;  // the pump's: its source has been held up long enough

 private:
  void add_text(std::string_view head, const LogText& text);
  void hold(std::string_view head, const LogText& line, bool ended);
  void stay_within_bound();

  LineFormat format_;
  std::uint32_t begin_ = 0;  // of what has not been moved in held_, always of a line
  std::uint32_t longest_held_ = 0;
  std::string held_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_in_all_ = 0;
};

}  // namespace belfry::daemon
