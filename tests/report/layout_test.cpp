#include "report/layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace belfry::report {
namespace {

constexpr double row = 30;

std::vector<Arc> random_arcs(std::size_t nodes, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Arc> arcs;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t a = random() % nodes, b = random() % nodes;
    if (a != b) arcs.push_back({.from = std::min(a, b), .to = std::max(a, b)});
  }
  return arcs;
}

TEST(Layout, every_arrow_goes_to_the_right_and_bends_once_in_each_layer_between) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const std::vector<Arc> arcs = random_arcs(60, 120, seed);
    const Layout layout = lay_out(60, arcs, row);
    for (std::size_t i = 0; i < arcs.size(); ++i) {
      const std::size_t from = layout.nodes[arcs[i].from].layer, to = layout.nodes[arcs[i].to].layer;
      ASSERT_LT(from, to);
      ASSERT_EQ(layout.bends[i].size(), to - from - 1);
      for (std::size_t n = 0; n < layout.bends[i].size(); ++n)
        EXPECT_EQ(layout.bends[i][n].layer, from + 1 + n);
    }
  }
}

TEST(Layout, no_two_nodes_of_a_layer_touch_and_all_are_inside) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const Layout layout = lay_out(80, random_arcs(80, 150, seed), row);
    for (std::size_t a = 0; a < 80; ++a) {
      EXPECT_LT(layout.nodes[a].layer, layout.layers);
      EXPECT_GE(layout.nodes[a].y, row / 2 - 0.01);
      EXPECT_LE(layout.nodes[a].y, layout.height);
      for (std::size_t b = 0; b < a; ++b) {
        if (layout.nodes[a].layer == layout.nodes[b].layer)
          EXPECT_GE(std::abs(layout.nodes[a].y - layout.nodes[b].y), row - 0.01) << a << " and " << b;
      }
    }
  }
}

TEST(Layout, a_node_stands_one_layer_behind_the_last_of_those_that_lead_to_it) {
  const Layout layout = lay_out(4, {{0, 1}, {1, 2}, {0, 3}, {2, 3}}, row);
  EXPECT_EQ(layout.nodes[0].layer, 0U);
  EXPECT_EQ(layout.nodes[1].layer, 1U);
  EXPECT_EQ(layout.nodes[2].layer, 2U);
  EXPECT_EQ(layout.nodes[3].layer, 3U);
  EXPECT_EQ(layout.layers, 4U);
}

TEST(Layout, two_chains_side_by_side_do_not_cross) {
  // 0 → 2 → 4, 1 → 3 → 5, with the middles written down the other way round.
  const Layout layout = lay_out(6, {{0, 3}, {3, 4}, {1, 2}, {2, 5}}, row);
  const auto above = [&](std::size_t a, std::size_t b) { return layout.nodes[a].y < layout.nodes[b].y; };
  EXPECT_EQ(above(0, 1), above(3, 2));
  EXPECT_EQ(above(3, 2), above(4, 5));
}

TEST(Layout, a_circle_and_a_node_alone_are_drawn_all_the_same) {
  const Layout layout = lay_out(4, {{0, 1}, {1, 2}, {2, 1}}, row);
  EXPECT_EQ(layout.nodes.size(), 4U);
  EXPECT_EQ(layout.bends.size(), 3U);
  EXPECT_EQ(lay_out(0, {}, row).height, 0);
  EXPECT_EQ(lay_out(1, {}, row).layers, 1U);
}

TEST(Layout, the_same_graph_looks_the_same) {
  const std::vector<Arc> arcs = random_arcs(100, 300, 7);
  const Layout a = lay_out(100, arcs, row), b = lay_out(100, arcs, row);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(a.nodes[i].y, b.nodes[i].y);
}

}  // namespace
}  // namespace belfry::report
