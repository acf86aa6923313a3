#include "cli/event_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/option_values.hpp"
#include "config/model/duration.hpp"

namespace belfry::cli {

void add_event_options(CLI::App& app, EventOptions& options) {
  app.add_flag("-f,--follow", options.follow);
  app.add_option("--since", options.since);
  app.add_option("--kind", options.kinds)->allow_extra_args(false);
}

client::Expected<EventsSince> events_since(const EventOptions& options) {
  EventsSince since;
  if (options.since.empty()) return since;
  const char* const end = options.since.data() + options.since.size();
  const auto [read, error] = std::from_chars(options.since.data(), end, since.sequence);
  if (error == std::errc() && read == end) return since;
  since.sequence = 0;
  const auto ago = config::parse_duration(options.since);
  if (!ago)
    return misunderstood("--since " + options.since, "it is neither the number of an event nor a duration",
                         "write it like 1234 or 10m");
  since.ago = *ago;
  return since;
}

}  // namespace belfry::cli
