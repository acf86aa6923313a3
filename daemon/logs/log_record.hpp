// A line on its way to a log daemon: "NAME INCARNATION STREAM MICROSECONDS TEXT\n". It is text so that the
// pump holds, counts and drops it as it does lines; no name has a space in it.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/logs/log_text.hpp"

namespace belfry::daemon {

struct LogRecord {
  std::string_view name;
  std::string_view incarnation;
  std::string_view stream;
  std::chrono::system_clock::time_point at;
  std::string_view text;
  int priority = 6;  // of syslog(3): informational, unless the line says another ("<3>", sd-daemon(3))
};

[[nodiscard]] inline std::string record_head(std::string_view name, const LineOrigin& origin) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(origin.at.time_since_epoch());
  return std::string(name) + " " + std::to_string(origin.incarnation) + " " +
         std::string(name_of(origin.stream)) + " " + std::to_string(since.count()) + " ";
}

// Of one line, without its end; nothing when it is none of ours.
[[nodiscard]] inline std::optional<LogRecord> read_record(std::string_view line) {
  std::string_view parts[4];
  for (std::string_view& part : parts) {
    const std::size_t end = line.find(' ');
    if (end == std::string_view::npos) return std::nullopt;
    part = line.substr(0, end);
    line.remove_prefix(end + 1);
  }
  LogRecord record{.name = parts[0], .incarnation = parts[1], .stream = parts[2], .at = {}, .text = line};
  std::int64_t micros = 0;
  std::from_chars(parts[3].data(), parts[3].data() + parts[3].size(), micros);
  record.at += std::chrono::microseconds(micros);
  if (line.size() >= 3 && line[0] == '<' && line[1] >= '0' && line[1] <= '7' && line[2] == '>') {
    record.priority = line[1] - '0';
    record.text.remove_prefix(3);
  }
  return record;
}

}  // namespace belfry::daemon
