#include "probes/schedule.hpp"

#include <algorithm>

#include "channels/time/saturating.hpp"

namespace belfry::probes {

using namespace std::chrono_literals;

Duration adaptive_delay(Duration since_start) { return std::clamp<Duration>(since_start / 50, 1ms, 250ms); }

Duration next_delay(const ScheduleOptions& options, Phase phase, Duration since_start, std::uint64_t attempts,
                    double random) {
  if (phase == Phase::starting) {
    if (attempts == 0) return options.initial_delay;
    return options.period.value_or(adaptive_delay(since_start));
  }
  const Duration period = options.period.value_or(10s);
  if (attempts == 0) return saturating_add(options.initial_delay, saturating_scale(period, random));
  const double spread = 1.0 + options.jitter * (2.0 * random - 1.0);
  return saturating_scale(period, spread);
}

Duration port_period(std::size_t waiters) {
  return std::max<Duration>(10ms, static_cast<std::int64_t>(waiters) * 50us);
}

Thresholds::Change Thresholds::record(bool success) {
  if (success == up_) {
    streak_ = 0;
    return Change::none;
  }
  const std::uint32_t needed = std::max(1U, success ? success_ : failure_);
  if (++streak_ < needed) return Change::none;
  streak_ = 0;
  up_ = success;
  return success ? Change::up : Change::down;
}

}  // namespace belfry::probes
