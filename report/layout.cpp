#include "report/layout.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

namespace belfry::report {

namespace {

// A node, or the place where an arc passes a layer.
struct Vertex {
  std::size_t layer = 0;
  bool is_bend = false;
  double order = 0, y = 0;
  std::vector<std::size_t> before{}, behind{};  // in the layers beside it
};

class Layers {
 public:
  Layers(std::size_t nodes, const std::vector<Arc>& arcs, double row)
      : arcs_(arcs), row_(row), vertices_(nodes) {
    rank();
    join();
    for (std::size_t i = 0; i < vertices_.size(); ++i) {
      layers_.resize(std::max(layers_.size(), vertices_[i].layer + 1));
      layers_[vertices_[i].layer].push_back(i);
    }
    order();
    place();
  }

  [[nodiscard]] Layout result() const {
    Layout out;
    out.layers = layers_.size();
    for (const Vertex& one : vertices_) out.height = std::max(out.height, one.y + row_ / 2);
    for (std::size_t i = 0; i < nodes_; ++i) out.nodes.push_back(spot(i));
    for (const std::vector<std::size_t>& way : ways_) {
      auto& bends = out.bends.emplace_back();
      for (const std::size_t vertex : way) bends.push_back(spot(vertex));
    }
    return out;
  }

 private:
  [[nodiscard]] Spot spot(std::size_t vertex) const { return {vertices_[vertex].layer, vertices_[vertex].y}; }

  // One layer behind the last of those that lead to it.
  void rank() {
    std::vector<std::size_t> missing(nodes_), ready;
    std::vector<std::vector<std::size_t>> next(nodes_);
    for (const Arc& arc : arcs_) {
      ++missing[arc.to];
      next[arc.from].push_back(arc.to);
    }
    for (std::size_t i = 0; i < nodes_; ++i) {
      if (missing[i] == 0) ready.push_back(i);
    }
    for (std::size_t at = 0; at < ready.size(); ++at) {
      for (const std::size_t to : next[ready[at]]) {
        vertices_[to].layer = std::max(vertices_[to].layer, vertices_[ready[at]].layer + 1);
        if (--missing[to] == 0) ready.push_back(to);
      }
    }
  }

  // Long arcs become chains, so that every step leads to the next layer.
  void join() {
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> bends;  // of a node in a layer
    for (const Arc& arc : arcs_) {
      std::vector<std::size_t>& way = ways_.emplace_back();
      if (vertices_[arc.to].layer <= vertices_[arc.from].layer) continue;
      std::size_t last = arc.from;
      for (std::size_t layer = vertices_[arc.from].layer + 1; layer < vertices_[arc.to].layer; ++layer) {
        const auto [bend, is_new] = bends.try_emplace({arc.from, layer}, vertices_.size());
        if (is_new) {
          vertices_.push_back({.layer = layer, .is_bend = true});
          connect(last, bend->second);
        }
        way.push_back(last = bend->second);
      }
      connect(last, arc.to);
    }
  }

  void connect(std::size_t from, std::size_t to) {
    vertices_[from].behind.push_back(to);
    vertices_[to].before.push_back(from);
  }

  // Each to the mean of its neighbours, forwards and backwards in turn.
  void order() {
    constexpr int sweeps = 12;
    for (std::vector<std::size_t>& layer : layers_) number(layer);
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      const bool forwards = sweep % 2 == 0;
      for (std::size_t n = 0; n < layers_.size(); ++n) {
        std::vector<std::size_t>& layer = layers_[forwards ? n : layers_.size() - 1 - n];
        for (const std::size_t i : layer)
          vertices_[i].order =
              mean(forwards ? vertices_[i].before : vertices_[i].behind, vertices_[i].order, &Vertex::order);
        std::ranges::sort(layer, {}, [this](std::size_t i) { return std::pair(vertices_[i].order, i); });
        number(layer);
      }
    }
  }

  void number(const std::vector<std::size_t>& layer) {
    for (std::size_t i = 0; i < layer.size(); ++i)
      vertices_[layer[i]].order = (static_cast<double>(i) + 0.5) / static_cast<double>(layer.size());
  }

  [[nodiscard]] double mean(const std::vector<std::size_t>& of, double otherwise,
                            double Vertex::* value) const {
    if (of.empty()) return otherwise;
    double sum = 0;
    for (const std::size_t i : of) sum += vertices_[i].*value;
    return sum / static_cast<double>(of.size());
  }

  // In their order, near their neighbours, and never nearer to each other than they may be.
  void place() {
    constexpr int rounds = 8;
    for (const std::vector<std::size_t>& layer : layers_) settle(layer);
    for (int round = 0; round < rounds; ++round) {
      const bool forwards = round % 2 == 0;
      for (std::size_t n = 0; n < layers_.size(); ++n) {
        const std::vector<std::size_t>& layer = layers_[forwards ? n : layers_.size() - 1 - n];
        for (const std::size_t i : layer)
          vertices_[i].y =
              mean(forwards ? vertices_[i].before : vertices_[i].behind, vertices_[i].y, &Vertex::y);
        settle(layer);
      }
    }
    double top = std::numeric_limits<double>::max();
    for (const Vertex& one : vertices_) top = std::min(top, one.y);
    for (Vertex& one : vertices_) one.y += row_ / 2 - top;
  }

  [[nodiscard]] double gap(std::size_t upper, std::size_t lower) const {
    return vertices_[upper].is_bend || vertices_[lower].is_bend ? row_ * 0.6 : row_;
  }

  // As near to where they want to be as their distances let them (the pool of adjacent violators: without the
  // distances, those that are in the wrong order share their mean).
  void settle(const std::vector<std::size_t>& layer) {
    struct Block {
      double sum = 0;
      std::size_t count = 0;
      [[nodiscard]] double mean() const { return sum / static_cast<double>(count); }
    };
    std::vector<double> offsets(layer.size());
    std::vector<Block> blocks;
    for (std::size_t n = 0; n < layer.size(); ++n) {
      if (n > 0) offsets[n] = offsets[n - 1] + gap(layer[n - 1], layer[n]);
      Block block{.sum = vertices_[layer[n]].y - offsets[n], .count = 1};
      for (; !blocks.empty() && blocks.back().mean() >= block.mean(); blocks.pop_back())
        block = {.sum = block.sum + blocks.back().sum, .count = block.count + blocks.back().count};
      blocks.push_back(block);
    }
    std::size_t n = 0;
    for (const Block& block : blocks) {
      for (std::size_t i = 0; i < block.count; ++i, ++n) vertices_[layer[n]].y = block.mean() + offsets[n];
    }
  }

  const std::vector<Arc>& arcs_;
  double row_;
  std::vector<Vertex> vertices_;
  std::size_t nodes_ = vertices_.size();
  std::vector<std::vector<std::size_t>> ways_;    // parallel to the arcs
  std::vector<std::vector<std::size_t>> layers_;  // from the top down
};

}  // namespace

Layout lay_out(std::size_t nodes, const std::vector<Arc>& arcs, double row) {
  return Layers(nodes, arcs, row).result();
}

}  // namespace belfry::report
