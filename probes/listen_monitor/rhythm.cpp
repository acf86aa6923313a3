#include "probes/listen_monitor/rhythm.hpp"

namespace belfry::probes {

std::optional<Duration> next_look(std::uint32_t looks) {
  if (looks < looks_in_turns) return Duration::zero();
  if (looks >= looks_in_all) return std::nullopt;
  return std::chrono::nanoseconds(12'500) * (1U << (looks - looks_in_turns));
}

}  // namespace belfry::probes
