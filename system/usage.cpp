#include "system/usage.hpp"

#include <sys/resource.h>

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

std::uint64_t own_peak_bytes() {
  ::rusage own{};
  return ::getrusage(RUSAGE_SELF, &own) == 0 ? usage_of(own).peak_bytes : 0;
}

}  // namespace belfry::system
