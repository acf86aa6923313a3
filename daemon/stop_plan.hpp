// One deadline for the whole graceful stop, shared out so that nobody eats the time of those below.
//
// A service is killed at min(asked + its own timeout, D − the longest sum of timeouts still below it):
// slow applications never eat the database's time (product.md, Shutdown). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "channels/time.hpp"

namespace belfry::daemon {

struct StopNode {
  Duration timeout{0};               // zero for what has no process
  std::vector<std::uint32_t> below;  // indices of the services it depends on: they stop after it
};

struct StopShare {
  Duration timeout{0};  // its own, scaled down when the chains do not fit
  TimePoint kill_by{};  // killed then at the latest
};

// `nodes` must not contain a cycle. `deadline` is D, `now` when the stop begins.
[[nodiscard]] std::vector<StopShare> plan_stop(const std::vector<StopNode>& nodes, TimePoint now,
                                               TimePoint deadline);

}  // namespace belfry::daemon
