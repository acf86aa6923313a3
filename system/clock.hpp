// The clocks of the kernel that the loop's own clock is not (clock_gettime(2)).
#pragma once

#include <chrono>

namespace belfry::system {

// What this thread has worked. On a busy machine a search may last longer, but does no less.
[[nodiscard]] std::chrono::nanoseconds thread_time();

// Since the machine was started, suspensions included: what /proc counts the starts of processes from.
[[nodiscard]] std::chrono::nanoseconds time_since_boot();

// The time of day, from a page that the kernel writes once a tick: some milliseconds old, and much cheaper.
[[nodiscard]] std::chrono::nanoseconds coarse_time_of_day();

// The unit in which /proc counts them (sysconf(3), _SC_CLK_TCK).
[[nodiscard]] std::chrono::nanoseconds clock_tick();

}  // namespace belfry::system
