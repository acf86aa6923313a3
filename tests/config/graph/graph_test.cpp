#include "config/graph/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

// Edges by index; no text involved.
Stack stack_of(std::size_t count, const std::vector<std::pair<Index, Index>>& edges) {
  Stack stack;
  stack.services.resize(count);
  for (Index i = 0; i < count; ++i) stack.services[i].name = "s" + std::to_string(i);
  for (const auto& [from, to] : edges) {
    Dependency edge;
    edge.target = to;
    stack.services[from].depends_on.push_back(std::move(edge));
  }
  return stack;
}

TEST(Graph, order_puts_dependencies_first_and_keeps_the_file_s_order_otherwise) {
  EXPECT_EQ(start_order(stack_of(4, {{0, 2}, {2, 3}})), (std::vector<Index>{1, 3, 2, 0}));
}
TEST(Graph, rank_is_the_longest_chain_below) {
  EXPECT_EQ(ranks(stack_of(4, {{0, 1}, {1, 2}, {0, 2}, {3, 2}})), (std::vector<std::uint32_t>{2, 1, 0, 1}));
}
TEST(Graph, the_shortest_cycle_of_each_knot_is_found) {
  const auto cycles =
      find_cycles(stack_of(7, {{0, 1}, {1, 2}, {2, 3}, {3, 0}, {1, 0}, {4, 5}, {5, 4}, {6, 6}}));
  ASSERT_EQ(cycles.size(), 3U);
  std::vector<std::size_t> sizes;
  for (const auto& cycle : cycles) sizes.push_back(cycle.size());
  std::ranges::sort(sizes);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 2, 2}));
}
TEST(Graph, a_cycle_s_edges_lead_into_each_other) {
  const Stack stack = stack_of(5, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 1}});
  const auto cycles = find_cycles(stack);
  ASSERT_EQ(cycles.size(), 1U);
  for (std::size_t i = 0; i < cycles[0].size(); ++i)
    EXPECT_EQ(stack.services[cycles[0][i].service].depends_on[cycles[0][i].edge].target,
              cycles[0][(i + 1) % cycles[0].size()].service);
}
TEST(Graph, very_long_chains_need_no_stack) {
  std::vector<std::pair<Index, Index>> edges;
  for (Index i = 0; i + 1 < 200'000; ++i) edges.emplace_back(i, i + 1);
  EXPECT_TRUE(find_cycles(stack_of(200'000, edges)).empty());
  EXPECT_EQ(ranks(stack_of(200'000, edges)).front(), 199'999U);
}
TEST(Graph, random_graphs_are_judged_as_a_simple_search_judges_them) {
  std::mt19937 random(20261120);
  for (int round = 0; round < 500; ++round) {
    const Index count = 2 + random() % 8;
    std::vector<std::pair<Index, Index>> edges;
    for (std::uint32_t i = 0; i < random() % 12; ++i) edges.emplace_back(random() % count, random() % count);
    // Reachability by squaring tells whether anyone reaches itself.
    std::vector<std::vector<bool>> reach(count, std::vector<bool>(count));
    for (const auto& [a, b] : edges) reach[a][b] = true;
    for (Index k = 0; k < count; ++k)
      for (Index i = 0; i < count; ++i)
        for (Index j = 0; j < count; ++j)
          if (reach[i][k] && reach[k][j]) reach[i][j] = true;
    bool cyclic = false;
    for (Index i = 0; i < count; ++i) cyclic = cyclic || reach[i][i];
    const Stack stack = stack_of(count, edges);
    EXPECT_EQ(!find_cycles(stack).empty(), cyclic) << "round " << round;
    EXPECT_EQ(start_order(stack).size() == count, !cyclic) << "round " << round;
  }
}
TEST(Graph, the_critical_path_adds_up_the_most_time) {
  const Stack stack = good(
      "services: {db: {command: x, stop: {timeout: 20s}}, cache: {command: x, stop: {timeout: 1s}}, api: "
      "{command: x, depends_on: [db, cache], stop: {timeout: 3s}}}");
  const Path path = critical_path(stack, [](const Service& s) { return s.stop.timeout; });
  EXPECT_EQ(path.length, 23s);
  ASSERT_EQ(path.services.size(), 2U);
  EXPECT_EQ(stack.services[path.services[0]].name, "db");
}
TEST(Graph, the_critical_path_of_endless_times_does_not_overflow) {
  const Stack stack = stack_of(3, {{0, 1}, {1, 2}});
  EXPECT_EQ(critical_path(stack, [](const Service&) { return Duration::max(); }).length, Duration::max());
}
TEST(Graph, closure_follows_required_edges_only) {
  Stack stack = stack_of(4, {{0, 1}, {1, 2}, {0, 3}});
  stack.services[0].depends_on[1].required = false;
  const std::vector<Index> roots{0};
  EXPECT_EQ(required_closure(stack, roots), (std::vector<bool>{true, true, true, false}));
}

}  // namespace
}  // namespace belfry::config
