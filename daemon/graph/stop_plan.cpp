#include "daemon/graph/stop_plan.hpp"

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
  const Duration budget = std::max(saturating_subtract(deadline, now), Duration::zero());
  // Nobody can use more than there is.
  const auto most = [&nodes, budget](std::uint32_t i) { return std::min(nodes[i].timeout, budget); };
  // In floating point: how much longer than all time a chain would take says how small the shares become.
  const auto ticks = [&most](std::uint32_t i) { return static_cast<double>(most(i).count()); };
  std::vector<double> below(nodes.size(), 0);
  double longest = 0;
  for (const std::uint32_t i : bottom_up(nodes)) {
    for (const std::uint32_t b : nodes[i].below) below[i] = std::max(below[i], below[b] + ticks(b));
    longest = std::max(longest, below[i] + ticks(i));
  }
  const auto all = static_cast<double>(budget.count());
  const double scale = longest > all ? all / longest : 1.0;
  std::vector<StopShare> shares(nodes.size());
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    const Duration left = std::max(budget - saturating_scale(below[i], scale), Duration::zero());
    shares[i] = {.kept = saturating_scale(most(i), scale), .end_by = saturating_add(now, left)};
  }
  return shares;
}

}  // namespace belfry::daemon
