// Nodes that are what a test says, and remember what they were told.
#pragma once

#include <deque>
#include <string>

#include "daemon/graph/dependency_graph.hpp"
#include "tests/support/stack_builder.hpp"

namespace belfry::testing {

class FakeNode final : public daemon::Node {
 public:
  FakeNode(const config::Service& spec, std::uint32_t index) : Node(spec, index) {}

  daemon::Standing is;
  bool holds = false;  // each level of its own run
  bool dead = false;   // its process is, and its state does not say so yet
  std::size_t told = 0, told_by_bell = 0, watchers_told = 0, looks = 0;

  // Asked for, and as an edge judges it.
  void run() { is.state = daemon::State::ready, holds = true; }
  void rest() { is.state = daemon::State::inactive, holds = false; }

  [[nodiscard]] bool own_level(config::Condition, std::string_view) const override {
    return holds && is.intent == daemon::Intent::run;
  }
  [[nodiscard]] bool process_has_died() const override { return dead; }
  void dependency_changed(bool bell_rang) override { ++told, told_by_bell += bell_rang ? 1 : 0; }
  void level_changed() override { ++watchers_told; }
  void look_again() override { ++looks; }
};

// Owner: the test. The stack is complete when the graph is made of it.
class FakeGraph {
 public:
  explicit FakeGraph(const config::Stack& stack) {
    for (std::uint32_t i = 0; i < stack.services.size(); ++i) add(nodes.emplace_back(stack.services[i], i));
    graph.connect();
  }
  void add(FakeNode& node) { graph.add(node, node.is); }
  FakeNode& operator[](std::string_view name) {
    return *std::ranges::find(nodes, name, [](const FakeNode& n) { return n.name(); });
  }

  std::deque<FakeNode> nodes;
  daemon::DependencyGraph graph;
};

}  // namespace belfry::testing
