#include "daemon/logs/line_format.hpp"

#include <time.h>

#include <cstdio>

#include "daemon/logs/log_record.hpp"
#include "system/output_writer.hpp"
#include "text/escape.hpp"
#include "text/terminal_line.hpp"

namespace belfry::daemon {

using Form = LineStyle::Form;

LineFormat::LineFormat(std::string_view name, LineStyle style) : style_(style), name_(name) {}

std::string LineFormat::head(const LineOrigin& origin) const {
  switch (style_.form) {
    case Form::raw: return {};
    case Form::record: return record_head(name_, origin);
    case Form::text: return (style_.timestamps ? utc_time(origin.at) + " " : "") + name_ + " | ";
    case Form::json: break;
  }
  std::string head = R"({"time":")" + utc_time(origin.at) + R"(","service":)";
  text::append_json_string(head, name_);
  return head + R"(,"incarnation":)" + std::to_string(origin.incarnation) + R"(,"stream":")" +
         std::string(name_of(origin.stream)) + R"(","line":)";
}

void LineFormat::append(std::string& out, std::string_view head, const LogText& line, bool ended) const {
  out.append(head);
  switch (style_.form) {
    case Form::raw:
      if (style_.for_terminal)
        text::append_line_for_terminal(out, line.bytes);
      else
        out.append(line.bytes);
      if (!ended && !style_.ends_lines) return;
      break;
    case Form::json:
      text::append_json_string(out, line.bytes);
      if (line.continued) out.append(R"(,"continued":true)");
      if (line.goes_on) out.append(R"(,"goes_on":true)");
      out.push_back('}');
      break;
    case Form::text:
    case Form::record: append_text(out, line); break;
  }
  out.push_back('\n');
}

void LineFormat::append_text(std::string& out, const LogText& line) const {
  if (line.continued) out.append(continued_mark);
  if (style_.for_terminal)
    text::append_line_for_terminal(out, line.bytes);
  else
    out.append(line.bytes);
  if (line.goes_on) out.append(cut_mark);
}

std::string LineFormat::marker(std::uint64_t lines, std::string_view why) const {
  const std::string begin = head({.at = std::chrono::system_clock::now()});
  std::string text = system::lost_lines_marker("", lines, why);
  if (style_.form != Form::json) return begin + text;
  text.pop_back();
  return begin + text::json_string(text) + R"(,"lost":)" + std::to_string(lines) + "}\n";
}

std::string utc_time(std::chrono::system_clock::time_point at) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  const time_t seconds = micros / 1'000'000;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(micros % 1'000'000));
  return text;
}

}  // namespace belfry::daemon
