// /v1/timeline as the command line reads it: when each service came how far.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::client {

struct TimelineEdge {
  std::string on, condition;
  bool required = true;
  std::optional<std::int64_t> holds_since_ns;
};

// Monotonic nanoseconds of the daemon; empty: it has not come so far.
struct TimelineService {
  std::string name, state;
  std::int64_t incarnation = 0;
  std::optional<std::int64_t> wanted_ns, starting_ns, started_ns, ready_ns, stopped_ns;
  std::vector<TimelineEdge> edges;
};

struct TimelineReply {
  std::string stack;
  std::string begun;  // RFC 3339; empty: nothing has begun
  std::optional<std::int64_t> begun_ns, up_ns;
  std::vector<TimelineService> services;
};

// Nothing when it is not that.
[[nodiscard]] std::optional<TimelineReply> read_timeline(std::string_view body);

}  // namespace belfry::client
