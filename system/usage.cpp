#include "system/usage.hpp"

#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

std::chrono::microseconds duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

constexpr std::uint64_t maxrss_unit = 1024;  // getrusage(2)

}  // namespace

Usage usage_of(const ::rusage& counted) {
  return {.user = duration_of(counted.ru_utime),
          .system = duration_of(counted.ru_stime),
          .peak_bytes = static_cast<std::uint64_t>(counted.ru_maxrss) * maxrss_unit};
}

// A child's count begins with the peak of the memory in which it was cloned. getrusage(2) of belfry itself
// would give more: that begins with the peak of whoever has executed belfry.
std::uint64_t own_peak_bytes() {
  const std::string status = proc::read_file("/proc/self/status");
  constexpr std::string_view field = "\nVmHWM:";
  const std::size_t line = status.find(field);
  std::uint64_t kilobytes = 0;
  if (line != std::string::npos && std::sscanf(status.c_str() + line + field.size(), "%lu", &kilobytes) == 1)
    return kilobytes * maxrss_unit;
  ::rusage own{};
  return ::getrusage(RUSAGE_SELF, &own) == 0 ? usage_of(own).peak_bytes : 0;
}

}  // namespace belfry::system
