// Time as this library sees it: monotonic, in nanoseconds, and replaceable in tests.
#pragma once

#include <chrono>

#include "channels/time/saturating.hpp"

namespace belfry {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

// Where a loop reads the time.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  virtual TimePoint now() const = 0;
};

// A clock that stands still until it is moved. A loop that is given one never waits for real time:
// Loop::advance and Loop::advance_to_next_timer move it and fire what is due.
// Owner: the test. Lifecycle: outlives its loop.
class ManualClock final : public TimeSource {
 public:
  ManualClock() = default;
  explicit ManualClock(TimePoint start) : now_(start) {}

  TimePoint now() const override { return now_; }
  // Moves forward; a time in the past leaves the clock where it is. Does not fire timers by itself.
  void set(TimePoint to) noexcept {
    if (to > now_) now_ = to;
  }
  void advance(Duration by) noexcept { set(saturating_add(now_, by)); }

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace belfry
