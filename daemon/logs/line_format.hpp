// How a line looks where it goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/logs/log_text.hpp"

namespace belfry::daemon {

struct LineStyle {
  enum class Form : std::uint8_t {
    text,    // "NAME | line", with `timestamps` behind the time
    json,    // {"time", "service", "incarnation", "stream", "line"}
    raw,     // the line
    record,  // what JournalTarget and SyslogTarget read (log_record.hpp)
  };
  Form form = Form::text;
  bool timestamps = false;
  bool for_terminal = false;  // without what a terminal would obey, but with its colours
  bool ends_lines = true;     // raw: also one that has no end of its own gets one
  bool may_drop = true;       // the oldest lines go when there are too many; otherwise the service waits
};

// At the end of a piece that goes on in the next line, and at the beginning of that one.
inline constexpr std::string_view cut_mark = " [belfry: line cut here, goes on below]";
inline constexpr std::string_view continued_mark = "[belfry: line continued] ";

// Owner: whoever writes lines of one name. Lifecycle: no state but that.
class LineFormat {
 public:
  LineFormat(std::string_view name, LineStyle style);

  // What stands in front of each line of this origin.
  [[nodiscard]] std::string head(const LineOrigin& origin) const;
  // One line behind its head; `line` is without its end. Of a `raw` line `ended` says that it had one.
  void append(std::string& out, std::string_view head, const LogText& line, bool ended) const;
  // The line that stands where so many are missing; its end included.
  [[nodiscard]] std::string marker(std::uint64_t lines, std::string_view why) const;

  [[nodiscard]] const LineStyle& style() const { return style_; }

 private:
  void append_text(std::string& out, const LogText& line) const;

  LineStyle style_;
  std::string name_;
};

// "2026-11-30T09:03:11.123456Z" (RFC 3339).
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point at);

}  // namespace belfry::daemon
