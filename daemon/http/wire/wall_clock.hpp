// Monotonic time told as a person's time.
#pragma once

#include <chrono>
#include <string>

#include "channels/time/time.hpp"

namespace belfry::daemon::http {

using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// Appends RFC 3339 in UTC with milliseconds: 2026-11-20T20:43:28.123Z.
void append_rfc3339(std::string& out, WallTime time);
// RFC 9110's IMF-fixdate: Fri, 20 Nov 2026 20:43:28 GMT.
[[nodiscard]] std::string imf_fixdate(WallTime time);

// Converts points of the monotonic clock. The offset between the two clocks is kept until it has moved by
// more than a step, so that an event has the same wall time in every answer, while a set clock is followed.
class WallClock {
 public:
  using Source = WallTime (*)();
  explicit WallClock(Source source = system_now) : source_(source) {}
  [[nodiscard]] WallTime now() const { return source_(); }
  [[nodiscard]] WallTime at(TimePoint then, TimePoint monotonic_now);
  static WallTime system_now();
  // Of the last tick of the kernel, a few milliseconds ago: cheaper, for what shows whole seconds.
  static WallTime coarse_now();

 private:
  static constexpr std::chrono::milliseconds step{20};
  Source source_;
  std::chrono::nanoseconds offset_{0};
  bool known_ = false;
};

}  // namespace belfry::daemon::http
