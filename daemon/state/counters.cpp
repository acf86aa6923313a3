#include "daemon/state/counters.hpp"

#include <algorithm>
#include <iterator>

namespace belfry::daemon {

void DurationHistogram::observe(double seconds) {
  const auto at = std::ranges::lower_bound(bounds, seconds) - std::begin(bounds);
  for (auto i = static_cast<std::size_t>(at); i < std::size(buckets); ++i) ++buckets[i];
  sum += seconds;
  ++count;
}

}  // namespace belfry::daemon
