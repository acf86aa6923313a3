// Lines of logs as the command line reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::client {

struct LogLine {
  std::string json;  // as it was written, on one line
  std::string time, service, stream, line;
  std::int64_t incarnation = 0;
  bool continued = false;  // the rest of the line before
  bool goes_on = false;
};

// Nothing when it is none.
[[nodiscard]] std::optional<LogLine> read_log_line(std::string_view json);

// Lines that are missing between two others.
struct MissedLines {
  std::string service;                // empty: nobody knows whose
  std::optional<std::int64_t> count;  // nothing: nobody knows how many
  std::string because;
};
[[nodiscard]] MissedLines read_missed_lines(std::string_view json);

}  // namespace belfry::client
