// The dependencies of a stack as a graph: pure functions of a Stack whose targets are filled in. This room
// knows the model, and neither how it was read nor what it does when it runs.
//
// Unless said otherwise they need a stack without cycles, and count every edge, required or not.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "config/model/model.hpp"

namespace belfry::config {

using Index = std::uint32_t;  // into Stack::services

// An edge by where it is: `services[service].depends_on[edge]`.
struct EdgeRef {
  Index service = 0;
  std::uint32_t edge = 0;
};

// The shortest cycle of each knot of services that wait for each other, each as its edges in order.
// Works on any stack; linear in edges, plus the size of the knots.
[[nodiscard]] std::vector<std::vector<EdgeRef>> find_cycles(const Stack& stack);

// Dependencies first; services that could change places stay in the order of the file.
[[nodiscard]] std::vector<Index> start_order(const Stack& stack);

// For each service the length of the longest chain of dependencies below it; 0: it has none.
[[nodiscard]] std::vector<std::uint32_t> ranks(const Stack& stack);

// For each service those that depend on it.
[[nodiscard]] std::vector<std::vector<EdgeRef>> dependents(const Stack& stack);

struct Path {
  Duration length{0};
  std::vector<Index> services;  // from the one without dependencies to the last
};
// The chain of dependencies whose times add up to the most: what a start waits for, or, with the
// times of stopping, what a stop waits for. `time` gives the length of one service.
[[nodiscard]] Path critical_path(const Stack& stack, const std::function<Duration(const Service&)>& time);

// The services named and everything they require, directly or not.
[[nodiscard]] std::vector<bool> required_closure(const Stack& stack, std::span<const Index> roots);

}  // namespace belfry::config
