#include "system/own_limits.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "system/capabilities.hpp"
#include "system/oom_score.hpp"

namespace belfry::system {

// RLIMIT_NICE counts from 20 down: 40 stands for -20.
bool may_set_nice(int value) {
  errno = 0;
  const int own = ::getpriority(PRIO_PROCESS, 0);
  if ((own == -1 && errno != 0) || value >= own || has_capability(CAP_SYS_NICE)) return true;
  rlimit limit{};
  return ::getrlimit(RLIMIT_NICE, &limit) == 0 && static_cast<rlim_t>(20 - value) <= limit.rlim_cur;
}

bool may_set_oom_score(int value) {
  auto own = entry_oom_score();
  if (!own) {
    int read = 0;
    if (!(std::ifstream("/proc/self/oom_score_adj") >> read)) return true;
    own = read;
  }
  return value >= *own || has_capability(CAP_SYS_RESOURCE);
}

bool may_set_limit(int resource, std::uint64_t hard) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return true;
  return hard <= limit.rlim_max || has_capability(CAP_SYS_RESOURCE);
}

bool has_one_of(std::span<const std::uint16_t> cpus) {
  cpu_set_t own;
  CPU_ZERO(&own);
  if (::sched_getaffinity(0, sizeof own, &own) != 0) return true;
  return std::ranges::any_of(cpus,
                             [&](std::uint16_t cpu) { return cpu < CPU_SETSIZE && CPU_ISSET(cpu, &own); });
}

}  // namespace belfry::system
