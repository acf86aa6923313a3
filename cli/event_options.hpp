// What `belfry events` may be told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "client/failure.hpp"

namespace CLI {
class App;
}

namespace belfry::cli {

struct EventOptions {
  bool follow = false;
  std::string since;               // as it was written
  std::vector<std::string> kinds;  // empty: all
};

void add_event_options(CLI::App& app, EventOptions& options);

// Where to begin: behind an event, or so long ago.
struct EventsSince {
  std::uint64_t sequence = 0;
  std::optional<Duration> ago;
};
// Failure: 64.
[[nodiscard]] client::Expected<EventsSince> events_since(const EventOptions& options);

}  // namespace belfry::cli
