// What one run of a service took, kept when it is over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace belfry::daemon {

struct PastRun {
  using Duration = std::chrono::nanoseconds;

  std::uint64_t number = 0;  // the incarnation
  Duration started_at{0};    // on the loop's clock, since its epoch
  Duration wall{0};          // until no process of it was left
  std::optional<Duration> ready_after{};
  // Of the processes that belfry has reaped and of those that these had waited for; of a service with a
  // cgroup of its own: of all.
  Duration cpu_user{0};
  Duration cpu_system{0};
  // The largest resident set of one of them; of a cgroup: of all together, with what the kernel held for
  // them.
  std::uint64_t peak_memory = 0;  // bytes; 0: nobody knows
  bool peak_is_bound = false;     // it was at most so much: no more than belfry itself has
  std::uint32_t oom_kills = 0;    // by the kernel, in its cgroup
  std::string end{};              // "exited with code 3"; empty: nobody saw it
};

// The last ones of a service, the oldest first.
using PastRuns = std::vector<PastRun>;
inline constexpr std::size_t most_past_runs = 10;

}  // namespace belfry::daemon
