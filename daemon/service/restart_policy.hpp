// When a service starts again after it has ended: back-off with jitter, reset, and an optional limit.
// Pure arithmetic over the service's own history; no clock, no random source inside.
#pragma once

#include <cstdint>
#include <vector>

#include "channels/time/time.hpp"
#include "config/model/model.hpp"

namespace belfry::daemon {

// Part of the record of a service.
struct RestartHistory {
  std::uint32_t attempts = 0;       // failures in a row; decides the delay
  std::vector<TimePoint> restarts;  // kept only when there is a limit
};

enum class AfterExit : std::uint8_t { completed, failed, again };

// What the policy says to a run that ended on its own account.
[[nodiscard]] AfterExit after_exit(const config::Service& service, bool success, bool was_ready);

// True when the limit (`10 per 5m`) leaves no more restarts. Counts this one when it does not.
[[nodiscard]] bool limit_reached(RestartHistory& history, const config::Restart& restart, TimePoint now);

// The delay before the next start: delay × factor^attempts, at most max_delay, jittered by `random` in
// [0, 1). Counts the attempt.
[[nodiscard]] Duration next_back_off(RestartHistory& history, const config::Restart& restart, double random);

}  // namespace belfry::daemon
