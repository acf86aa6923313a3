#include "daemon/logs/syslog_target.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "daemon/logs/line_format.hpp"
#include "text/utf8.hpp"

namespace belfry::daemon {

namespace {

constexpr int facility = 3 << 3;  // daemon (RFC 5424, 6.2.1)
constexpr std::size_t longest_text = 8000;
constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// In the local zone and in English, whatever the locale (RFC 3164, 4.1.2).
std::string local_time(std::chrono::system_clock::time_point at) {
  const time_t seconds = std::chrono::system_clock::to_time_t(at);
  tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  std::snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d", months[static_cast<std::size_t>(parts.tm_mon)],
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

}  // namespace

std::vector<std::string> syslog_messages(const LogRecord& record) {
  const std::string head = "<" + std::to_string(facility + record.priority) + ">" + local_time(record.at) +
                           " " + std::string(record.name) + "[" + std::string(record.incarnation) + "]: ";
  std::vector<std::string> messages;
  std::string_view rest = record.text;
  do {
    std::string_view part = rest.substr(0, longest_text);
    if (part.size() < rest.size())
      part = part.substr(0, std::max<std::size_t>(text::end_of_characters(part), 1));
    messages.push_back(head + std::string(part));
    rest.remove_prefix(part.size());
  } while (!rest.empty());
  return messages;
}

ssize_t SyslogTarget::write(std::string_view lines) {
  const std::size_t end = std::min(lines.find('\n'), lines.size());
  if (const auto record = read_record(lines.substr(0, end))) {
    for (const std::string& message : syslog_messages(*record)) {
      if (const int error = socket_.send(message); error != 0) return -error;
    }
  }
  return static_cast<ssize_t>(std::min(end + 1, lines.size()));
}

std::string SyslogTarget::marker(std::uint64_t lines, std::string_view why) {
  return LineFormat("belfry", {.form = LineStyle::Form::record}).marker(lines, why);
}

}  // namespace belfry::daemon
