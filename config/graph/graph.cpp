#include "config/graph/graph.hpp"

#include <algorithm>
#include <limits>
#include <queue>

#include "channels/time/saturating.hpp"
namespace belfry::config {
namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

// Tarjan's strongly connected components, with a stack of its own: chains may be long.
class Knots {
 public:
  explicit Knots(const Stack& stack)
      : services_(stack.services),
        order_(services_.size(), none),
        low_(services_.size()),
        knot_(services_.size(), none) {
    for (Index root = 0; root < services_.size(); ++root)
      if (order_[root] == none) visit(root);
  }
  [[nodiscard]] std::uint32_t of(Index service) const { return knot_[service]; }
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  struct Frame {
    Index service;
    std::size_t next = 0;
  };

  void visit(Index root) {
    std::vector<Frame> frames{{root}};
    enter(root);
    while (!frames.empty()) {
      Frame& frame = frames.back();
      const auto& edges = services_[frame.service].depends_on;
      if (frame.next < edges.size()) {
        const Index target = edges[frame.next++].target;
        if (order_[target] == none) {
          enter(target);
          frames.push_back({target});
        } else if (knot_[target] == none) {
          low_[frame.service] = std::min(low_[frame.service], order_[target]);
        }
        continue;
      }
      const Index done = frame.service;
      frames.pop_back();
      if (low_[done] == order_[done]) leave(done);
      if (!frames.empty()) low_[frames.back().service] = std::min(low_[frames.back().service], low_[done]);
    }
  }

  void enter(Index service) {
    order_[service] = low_[service] = clock_++;
    open_.push_back(service);
  }

  void leave(Index service) {
    for (Index member = none; member != service;) {
      member = open_.back();
      open_.pop_back();
      knot_[member] = count_;
    }
    ++count_;
  }

  const std::vector<Service>& services_;
  std::vector<std::uint32_t> order_, low_, knot_;
  std::vector<Index> open_;
  std::uint32_t clock_ = 0;
  std::uint32_t count_ = 0;
};

// The shortest way from `start` back to itself within its knot, breadth first.
std::vector<EdgeRef> shortest_cycle(const Stack& stack, const Knots& knots, Index start) {
  std::vector<EdgeRef> arrived(stack.services.size(), {none, 0});
  std::queue<Index> next;
  next.push(start);
  while (!next.empty()) {
    const Index service = next.front();
    next.pop();
    const auto& edges = stack.services[service].depends_on;
    for (std::uint32_t i = 0; i < edges.size(); ++i) {
      const Index target = edges[i].target;
      if (knots.of(target) != knots.of(start) || arrived[target].service != none) continue;
      arrived[target] = {service, i};
      if (target != start) {
        next.push(target);
        continue;
      }
      std::vector<EdgeRef> cycle{arrived[start]};
      while (cycle.back().service != start) cycle.push_back(arrived[cycle.back().service]);
      std::ranges::reverse(cycle);
      return cycle;
    }
  }
  return {};
}

}  // namespace

std::vector<std::vector<EdgeRef>> find_cycles(const Stack& stack) {
  const Knots knots(stack);
  std::vector<std::uint32_t> size(knots.count(), 0);
  std::vector<Index> first(knots.count(), none);
  for (Index i = 0; i < stack.services.size(); ++i) {
    ++size[knots.of(i)];
    first[knots.of(i)] = std::min(first[knots.of(i)], i);
  }
  std::vector<std::vector<EdgeRef>> cycles;
  for (std::uint32_t knot = 0; knot < knots.count() && cycles.size() < 100; ++knot) {
    const auto& edges = stack.services[first[knot]].depends_on;
    const bool itself =
        std::ranges::any_of(edges, [&](const Dependency& edge) { return edge.target == first[knot]; });
    if (size[knot] > 1 || itself) cycles.push_back(shortest_cycle(stack, knots, first[knot]));
  }
  return cycles;
}

std::vector<std::vector<EdgeRef>> dependents(const Stack& stack) {
  std::vector<std::vector<EdgeRef>> out(stack.services.size());
  for (Index i = 0; i < stack.services.size(); ++i)
    for (std::uint32_t e = 0; e < stack.services[i].depends_on.size(); ++e)
      out[stack.services[i].depends_on[e].target].push_back({i, e});
  return out;
}

std::vector<Index> start_order(const Stack& stack) {
  const auto above = dependents(stack);
  std::vector<std::uint32_t> missing(stack.services.size());
  std::priority_queue<Index, std::vector<Index>, std::greater<>> free;
  for (Index i = 0; i < stack.services.size(); ++i) {
    missing[i] = static_cast<std::uint32_t>(stack.services[i].depends_on.size());
    if (missing[i] == 0) free.push(i);
  }
  std::vector<Index> order;
  order.reserve(stack.services.size());
  while (!free.empty()) {
    order.push_back(free.top());
    free.pop();
    for (const EdgeRef& edge : above[order.back()])
      if (--missing[edge.service] == 0) free.push(edge.service);
  }
  return order;
}

std::vector<std::uint32_t> ranks(const Stack& stack) {
  std::vector<std::uint32_t> out(stack.services.size(), 0);
  for (const Index i : start_order(stack))
    for (const Dependency& edge : stack.services[i].depends_on)
      out[i] = std::max(out[i], out[edge.target] + 1);
  return out;
}

Path critical_path(const Stack& stack, const std::function<Duration(const Service&)>& time) {
  std::vector<Duration> length(stack.services.size(), Duration(0));
  std::vector<Index> before(stack.services.size(), none);
  Index last = none;
  for (const Index i : start_order(stack)) {
    for (const Dependency& edge : stack.services[i].depends_on)
      if (before[i] == none || length[edge.target] > length[before[i]]) before[i] = edge.target;
    const Duration below = before[i] == none ? Duration(0) : length[before[i]];
    const Duration own = time(stack.services[i]);
    length[i] = saturating_add(below, own);
    if (last == none || length[i] > length[last]) last = i;
  }
  Path path;
  if (last == none) return path;
  path.length = length[last];
  for (Index i = last; i != none; i = before[i]) path.services.push_back(i);
  std::ranges::reverse(path.services);
  return path;
}

std::vector<bool> required_closure(const Stack& stack, std::span<const Index> roots) {
  std::vector<bool> in(stack.services.size(), false);
  std::vector<Index> open(roots.begin(), roots.end());
  while (!open.empty()) {
    const Index service = open.back();
    open.pop_back();
    if (in[service]) continue;
    in[service] = true;
    for (const Dependency& edge : stack.services[service].depends_on)
      if (edge.required) open.push_back(edge.target);
  }
  return in;
}

}  // namespace belfry::config
