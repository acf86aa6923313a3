#include "cli/log_options.hpp"

#include <time.h>

#include <CLI/CLI.hpp>
#include <optional>

#include "cli/option_values.hpp"
#include "config/model/duration.hpp"

namespace belfry::cli {
namespace {

// A time of today or of another day, as a person here writes it.
std::optional<time_t> local_time(const std::string& text) {
  const time_t now = ::time(nullptr);
  for (const char* form : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
                           "%Y-%m-%d", "%H:%M:%S", "%H:%M"}) {
    tm parts{};
    ::localtime_r(&now, &parts);
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    parts.tm_isdst = -1;
    const char* const end = ::strptime(text.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') return ::mktime(&parts);
  }
  return std::nullopt;
}

// With a zone, as it stands at the end of a time.
bool is_in_a_zone(std::string_view text) {
  const std::size_t clock = text.find_first_of("Tt ");
  return clock != std::string_view::npos && text.find_first_of("Zz+-", clock) != std::string_view::npos;
}

}  // namespace

void add_log_options(CLI::App& app, LogOptions& options) {
  app.add_flag("-f,--follow", options.follow);
  app.add_option("-n,--lines", options.last);
  app.add_option("--since", options.since);
  app.add_option("--grep", options.grep);
  app.add_option("--stream", options.streams)->allow_extra_args(false);
  app.add_flag("-t,--timestamps", options.timestamps);
}

client::Expected<std::string> log_since(const std::string& text) {
  if (config::parse_duration(text) || is_in_a_zone(text)) return text;
  const auto at = local_time(text);
  if (!at)
    return misunderstood("--since " + text, "it is neither a duration nor a time",
                         "write it like 10m, 09:30 or \"2026-11-30 09:30\"");
  tm parts{};
  ::gmtime_r(&*at, &parts);
  char written[32];
  return std::string(written, ::strftime(written, sizeof written, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

}  // namespace belfry::cli
