// Where the nodes of a graph without circles stand so that arrows go to the right and cross seldom: layers
// (Sugiyama, Tagawa and Toda 1981). Pure, and the same for the same graph.
#pragma once

#include <cstddef>
#include <vector>

namespace belfry::report {

struct Arc {
  std::size_t from = 0, to = 0;
};

struct Spot {
  std::size_t layer = 0;
  double y = 0;  // of the middle
};

struct Layout {
  std::vector<Spot> nodes;
  // Of each arc: where it passes the layers between its ends. Arcs from the same node share their way.
  std::vector<std::vector<Spot>> bends;
  std::size_t layers = 0;
  double height = 0;
};

// `row`: how far two nodes of a layer are from each other at least. An arc of a circle goes where it can.
[[nodiscard]] Layout lay_out(std::size_t nodes, const std::vector<Arc>& arcs, double row);

}  // namespace belfry::report
