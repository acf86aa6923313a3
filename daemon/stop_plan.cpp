#include "daemon/stop_plan.hpp"

#include <algorithm>

namespace belfry::daemon {

namespace {

// Indices such that everything below a node comes before it. Iterative: a chain may be ten thousand long.
std::vector<std::uint32_t> bottom_up(const std::vector<StopNode>& nodes) {
  std::vector<std::uint32_t> missing(nodes.size());
  std::vector<std::vector<std::uint32_t>> above(nodes.size());
  std::vector<std::uint32_t> order;
  order.reserve(nodes.size());
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    missing[i] = static_cast<std::uint32_t>(nodes[i].below.size());
    for (const std::uint32_t b : nodes[i].below) above[b].push_back(i);
    if (missing[i] == 0) order.push_back(i);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const std::uint32_t a : above[order[next]]) {
      if (--missing[a] == 0) order.push_back(a);
    }
  }
  return order;
}

}  // namespace

std::vector<StopShare> plan_stop(const std::vector<StopNode>& nodes, TimePoint now, TimePoint deadline) {
  const Duration budget = std::max(deadline - now, Duration::zero());
  // Nobody can use more than there is.
  const auto most = [&nodes, budget](std::uint32_t i) { return std::min(nodes[i].timeout, budget); };
  std::vector<Duration> below(nodes.size(), Duration::zero());
  Duration longest{0};
  for (const std::uint32_t i : bottom_up(nodes)) {
    for (const std::uint32_t b : nodes[i].below) below[i] = std::max(below[i], below[b] + most(b));
    longest = std::max(longest, below[i] + most(i));
  }
  const double scale =
      longest > budget ? static_cast<double>(budget.count()) / static_cast<double>(longest.count()) : 1.0;
  const auto scaled = [scale](Duration d) {
    return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * scale));
  };
  std::vector<StopShare> shares(nodes.size());
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    shares[i] = {.kept = scaled(most(i)), .end_by = now + budget - scaled(below[i])};
  }
  return shares;
}

}  // namespace belfry::daemon
