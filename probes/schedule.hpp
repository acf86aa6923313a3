// When a probe is asked next: pure arithmetic, no clock inside.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace belfry::probes {

using Duration = std::chrono::nanoseconds;

enum class Phase : std::uint8_t {
  starting,  // before the bell: adaptive, unless the file gives a period
  watching,  // after it (`recheck`, `live`): the period, jittered
};

struct ScheduleOptions {
  Duration initial_delay{0};
  std::optional<Duration> period;  // unset: adaptive while starting, 10 s while watching
  Duration attempt_timeout = std::chrono::seconds(2);
  std::uint32_t success_threshold = 1;
  std::uint32_t failure_threshold = 1;
  double jitter = 0.1;  // while watching: a share of the period, either way
};

// While starting: clamp(time since start / 50, 1 ms, 250 ms): a service that is up in 20 ms is seen 1 ms
// late, one that takes a minute costs four looks a second.
[[nodiscard]] Duration adaptive_delay(Duration since_start);

// How long to wait before the next attempt. `since_start` counts from the start of the process;
// `attempts` is how many were made in this phase; `random` in [0, 1) spreads periodic probes: the first one
// over the whole period, so that those of a thousand services that came up together are asked one by one;
// the later ones by `jitter`, each anew, which keeps them so.
[[nodiscard]] Duration next_delay(const ScheduleOptions& options, Phase phase, Duration since_start,
                                  std::uint64_t attempts, double random);

// When a probe that is due then is asked: those of the same 10 ms together, because waking up costs more than
// a check. A pause below half a second is kept as it is; of a longer one it is a fiftieth at most.
template <class Clock>
[[nodiscard]] std::chrono::time_point<Clock, Duration> in_company(
    std::chrono::time_point<Clock, Duration> due, Duration pause) {
  constexpr Duration step = std::chrono::milliseconds(10);
  if (pause < std::chrono::milliseconds(500) || due == due.max()) return due;
  return due - due.time_since_epoch() % step;
}

// The period for `waiters` sock_diag looks at once: max(10 ms, waiters × 50 µs), so that a thousand of
// them still cost less than a twentieth of a core.
[[nodiscard]] Duration port_period(std::size_t waiters);

// Thresholds: turns a row of outcomes into "up" and "down" edges.
class Thresholds {
 public:
  enum class Change : std::uint8_t { none, up, down };
  explicit Thresholds(const ScheduleOptions& options, bool up = false)
      : success_(options.success_threshold), failure_(options.failure_threshold), up_(up) {}
  Change record(bool success);
  [[nodiscard]] bool up() const { return up_; }
  // Outcomes in a row that speak against the present state.
  [[nodiscard]] std::uint32_t streak() const { return streak_; }

 private:
  std::uint32_t success_, failure_;
  std::uint32_t streak_ = 0;
  bool up_;
};

}  // namespace belfry::probes
