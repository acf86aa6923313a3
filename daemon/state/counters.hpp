// What is counted and timed of one service since the daemon started.
#pragma once

#include <cstdint>
#include <iterator>

namespace belfry::daemon {

// Counters of one service since the daemon started. Times are seconds.
struct ServiceCounters {
  std::uint64_t restarts_on_failure = 0;
  std::uint64_t restarts_on_command = 0;
  std::uint64_t restarts_on_loss = 0;
  std::uint64_t restarts_on_liveness = 0;
  std::uint64_t restarts_on_watchdog = 0;
  // What status shows: the same restarts as the metric's, whatever their reasons. A stop and a later start
  // are none.
  [[nodiscard]] std::uint64_t restarts() const {
    return restarts_on_failure + restarts_on_command + restarts_on_loss + restarts_on_liveness +
           restarts_on_watchdog;
  }
  std::uint64_t probe_successes = 0;
  std::uint64_t probe_failures = 0;
  std::uint64_t log_lines_dropped = 0;
  std::uint64_t notify_refused = 0;
  // Of the runs that have ended.
  std::uint64_t oom_kills = 0;
  double cpu_seconds = 0;
};

// How long starts and stops took, in Prometheus' sense: cumulative bucket counts.
struct DurationHistogram {
  static constexpr double bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
  std::uint32_t buckets[std::size(bounds) + 1] = {};
  std::uint32_t count = 0;
  double sum = 0;
  void observe(double seconds);
};

struct ServiceTimes {
  DurationHistogram ready;  // start to bell
  DurationHistogram stop;   // asked to stopped
};

}  // namespace belfry::daemon
