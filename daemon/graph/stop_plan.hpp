// One deadline for the whole graceful stop, shared out so that nobody eats the time of those below.
//
// A service is killed at min(asked + its own timeout, D − the longest sum of timeouts still below it):
// slow applications never eat the database's time. Where a chain does not fit, the
// sums are scaled down; a service's own timeout never is, because most of those above it need a moment only.
// Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::daemon {

struct StopNode {
  Duration timeout{0};               // zero for what has no process
  std::vector<std::uint32_t> below;  // indices of the services it depends on: they stop after it
};

struct StopShare {
  // What it may count on however long the others take: its timeout, scaled down with the sums.
  Duration kept{0};
  TimePoint end_by{};  // nothing of it runs any longer than that
};

// `nodes` must not contain a cycle. `deadline` is D, `now` when the stop begins.
[[nodiscard]] std::vector<StopShare> plan_stop(const std::vector<StopNode>& nodes, TimePoint now,
                                               TimePoint deadline);

}  // namespace belfry::daemon
