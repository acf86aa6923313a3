#include "system/clock.hpp"

#include <unistd.h>

#include <ctime>

namespace belfry::system {

namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

std::chrono::nanoseconds thread_time() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

std::chrono::nanoseconds time_since_boot() { return read_clock(CLOCK_BOOTTIME); }

std::chrono::nanoseconds coarse_time_of_day() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::chrono::nanoseconds clock_tick() {
  return std::chrono::nanoseconds(std::chrono::seconds(1)) / ::sysconf(_SC_CLK_TCK);
}

}  // namespace belfry::system
