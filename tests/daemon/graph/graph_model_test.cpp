// Each walk against a naive version of itself, on random graphs in random states.
//
// The naive versions are recursive, look at a node as often as there are ways to it, and are short enough to
// be believed. Graphs are small, so that this is possible.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/daemon/graph/fake_node.hpp"

namespace belfry::testing {
namespace {

using config::Condition;
using config::ServiceType;
using daemon::Edge;
using daemon::Intent;
using daemon::Node;
using daemon::State;

constexpr int graphs = 3000;

class RandomGraph {
 public:
  explicit RandomGraph(int seed) : random_(static_cast<unsigned>(seed)) {
    const int count = below(12) + 2;
    for (int i = 0; i < count; ++i) add(i);
    made_.emplace(stack_);
    for (FakeNode& node : made_->nodes) put_into_some_state(node);
  }
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  bool chance(int percent) { return below(100) < percent; }
  FakeNode& some_node() { return made_->nodes[static_cast<std::size_t>(below(size()))]; }
  [[nodiscard]] int size() const { return static_cast<int>(made_->nodes.size()); }
  daemon::DependencyGraph& graph() { return made_->graph; }
  std::deque<FakeNode>& nodes() { return made_->nodes; }

  static bool runs(const Node& node) { return daemon::is_running(node.state()); }

 private:
  void add(int i) {
    static constexpr ServiceType types[] = {ServiceType::daemon, ServiceType::daemon,  ServiceType::gate,
                                            ServiceType::gate,   ServiceType::oneshot, ServiceType::external};
    config::Service& service = a_service(stack_, "s" + std::to_string(i), types[below(6)]);
    for (int on = 0; on < i; ++on) {
      if (!chance(30)) continue;
      config::Dependency& edge = depends(service, stack_, "s" + std::to_string(on));
      static constexpr Condition conditions[] = {Condition::ready, Condition::started, Condition::completed,
                                                 Condition::stopped};
      if (chance(25)) edge.condition = conditions[below(4)];
      edge.required = chance(80);
      const bool gate = stack_.services[static_cast<std::size_t>(on)].type == ServiceType::gate;
      if (gate && chance(30)) edge.require = config::Quorum{static_cast<std::uint32_t>(below(3))};
    }
    if (service.type == ServiceType::gate && chance(40))
      service.require.count = static_cast<std::uint32_t>(below(3));
  }
  void put_into_some_state(FakeNode& node) {
    node.is.state = static_cast<State>(below(static_cast<int>(daemon::state_count)));
    node.is.intent = static_cast<Intent>(chance(70) ? 0 : below(3));
    node.is.in_order = chance(80);
    node.is.start_requested = chance(10);
    node.is.last_run_succeeded = chance(50);
    node.is.started_in = static_cast<std::uint64_t>(below(10));
    node.holds = chance(60);
    node.dead = chance(20);
  }

  std::mt19937 random_;
  config::Stack stack_ = a_stack();
  std::optional<FakeGraph> made_;
};

template <class Check>
void on_random_graphs(Check check) {
  for (int seed = 1; seed <= graphs && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomGraph g(seed);
    check(g);
  }
}

void require(const Node& node, std::set<const Node*>& found) {
  found.insert(&node);
  for (const Edge& edge : node.edges())
    if (edge.spec->required) require(*edge.on, found);
}

TEST(GraphModel, required_closure) {
  on_random_graphs([](RandomGraph& g) {
    FakeNode &one = g.some_node(), &other = g.some_node();
    std::set<const Node*> expected;
    require(one, expected);
    require(other, expected);
    std::vector<Node*> roots{&one};
    if (&other != &one) roots.push_back(&other);
    const auto closure = g.graph().required_closure(roots);
    EXPECT_EQ(std::set<const Node*>(closure.begin(), closure.end()), expected);
    EXPECT_EQ(closure.size(), expected.size()) << "each once";
  });
}

void tell(const Node& node, std::set<const Node*>& told) {
  for (const Node* above : node.dependents()) {
    told.insert(above);
    const auto asks = [above](const Node* d) {
      return std::ranges::any_of(d->edges(),
                                 [above](const Edge& e) { return e.on == above && e.asks_members(); });
    };
    if (std::ranges::any_of(above->dependents(), asks)) tell(*above, told);
  }
}

TEST(GraphModel, who_is_told) {
  on_random_graphs([](RandomGraph& g) {
    FakeNode& node = g.some_node();
    std::set<const Node*> expected, told;
    tell(node, expected);
    g.graph().tell_dependents(node, true);
    for (const FakeNode& one : g.nodes())
      if (one.told > 0) told.insert(&one);
    EXPECT_EQ(told, expected);
  });
}

bool gate_is_short(const Node& gate) {
  if (!gate.level(Condition::ready)) return false;
  std::size_t standing = 0;
  for (const Edge& member : gate.edges())
    standing += member.holds() && (member.on->is_gate() || !member.on->process_has_died()) ? 1 : 0;
  return standing < gate.members_needed();
}

bool stands_on_dead(const Node& node, bool is_first = true) {
  return std::ranges::any_of(node.edges(), [is_first](const Edge& edge) {
    const Node& on = *edge.on;
    if (!daemon::is_running(on.state()) || edge.needs_no_process()) return false;
    if (on.is_gate()) return gate_is_short(on) || stands_on_dead(on, false);
    return is_first && on.process_has_died();
  });
}

TEST(GraphModel, who_stands_on_somebody_dead) {
  on_random_graphs([](RandomGraph& g) {
    for (const FakeNode& node : g.nodes()) EXPECT_EQ(g.graph().stands_on_dead(node), stands_on_dead(node));
  });
}

bool has_on_top(const Node& node, std::uint64_t before) {
  return std::ranges::any_of(node.dependents(), [&](const Node* above) {
    if (above->is_done_with(node)) return false;
    if (!above->is_gate() && node.is_gate() && !above->is_leaving()) return false;
    if (!above->is_gate() && daemon::is_running(above->state()) && above->standing().started_in < before)
      return true;
    return above->is_transparent() && has_on_top(*above, before);
  });
}

TEST(GraphModel, who_has_somebody_on_top) {
  on_random_graphs([](RandomGraph& g) {
    for (const FakeNode& node : g.nodes())
      EXPECT_EQ(g.graph().is_awaiting_others(node, 5), has_on_top(node, 5)) << node.name();
  });
}

bool is_held(const Node& node) {
  return std::ranges::any_of(node.dependents(), [](const Node* above) {
    return daemon::is_running(above->state()) || is_held(*above);
  });
}

TEST(GraphModel, who_is_held_while_everything_goes) {
  on_random_graphs([](RandomGraph& g) {
    g.graph().hold_everything();
    for (int step = 0; step <= g.size(); ++step) {
      for (const FakeNode& node : g.nodes()) ASSERT_EQ(node.is_held(), is_held(node)) << node.name();
      const auto running =
          std::ranges::find_if(g.nodes(), [](const FakeNode& n) { return RandomGraph::runs(n); });
      if (running == g.nodes().end()) return;
      running->is.state = State::inactive;
      g.graph().has_gone(*running);
    }
  });
}

void make_way(Node& node, std::set<const Node*>& looks) {
  for (const Edge& edge : node.edges()) {
    if (edge.on->standing().intent != Intent::run) looks.insert(edge.on);
    if (edge.on->is_transparent()) make_way(*edge.on, looks);
  }
}

TEST(GraphModel, who_looks_again_when_somebody_has_gone) {
  on_random_graphs([](RandomGraph& g) {
    FakeNode& node = g.some_node();
    std::set<const Node*> expected, looked;
    make_way(node, expected);
    g.graph().has_gone(node);
    for (const FakeNode& one : g.nodes())
      if (one.looks > 0) looked.insert(&one);
    EXPECT_EQ(looked, expected);
  });
}

// Whoever stands on somebody who leaves, judged from the top down.
struct Stop {
  std::set<const Node*> asked;

  [[nodiscard]] bool leaves(const Node& n) const {
    if (asked.contains(&n)) return daemon::is_running(n.state());
    return is_looked_at(n) && hit(n) &&
           (!n.is_gate() || staying(n, Condition::ready, {}) < n.members_needed());
  }
  [[nodiscard]] bool is_looked_at(const Node& n) const {
    return asked.contains(&n) || n.spec().command.empty() || daemon::is_running(n.state());
  }
  [[nodiscard]] bool hit(const Node& n) const {
    return is_looked_at(n) && std::ranges::any_of(n.edges(), [this](const Edge& e) { return taken(e); });
  }
  [[nodiscard]] bool taken(const Edge& e) const {
    if (!e.on->is_gate()) return leaves(*e.on) && !e.is_done_with();
    if (asked.contains(e.on)) return leaves(*e.on) || hit(*e.on);
    return hit(*e.on) && !stays(e);
  }
  [[nodiscard]] bool stays(const Edge& e) const {
    const Node& on = *e.on;
    if (on.is_gate() && !asked.contains(&on)) {
      if (e.asks_members()) return staying(on, e.spec->condition, *e.spec->bell) >= e.members_needed();
      if (hit(on)) return !leaves(on);
    }
    return (!leaves(on) || e.is_done_with()) && e.holds();
  }
  [[nodiscard]] std::size_t staying(const Node& gate, Condition condition, std::string_view bell) const {
    return static_cast<std::size_t>(std::ranges::count_if(gate.edges(), [&](const Edge& m) {
      if (condition != Condition::ready) return !leaves(*m.on) && m.on->level(condition, bell);
      const bool down =
          m.on->is_gate() &&
          (m.on->is_leaving() || (daemon::is_settled(m.on->state()) && m.on->state() != State::blocked));
      return stays(m) && (m.asks_members() || !down);
    }));
  }
};

TEST(GraphModel, who_must_stop) {
  on_random_graphs([](RandomGraph& g) {
    std::vector<Node*> roots{&g.some_node()};
    if (Node& other = g.some_node(); &other != roots[0]) roots.push_back(&other);
    const Stop naive{.asked = {roots.begin(), roots.end()}};
    std::set<const Node*> expected(roots.begin(), roots.end());
    for (const FakeNode& node : g.nodes())
      if (RandomGraph::runs(node) && !naive.asked.contains(&node) && naive.leaves(node))
        expected.insert(&node);
    const auto found = g.graph().who_must_stop(roots);
    EXPECT_EQ(std::set<const Node*>(found.begin(), found.end()), expected);
    EXPECT_EQ(found.size(), expected.size()) << "each once";
    for (std::size_t i = roots.size(); i < found.size(); ++i)
      for (std::size_t later = i + 1; later < found.size(); ++later)
        for (const Edge& edge : found[i]->edges()) EXPECT_NE(edge.on, found[later]) << "dependencies first";
  });
}

// Who has been asked to start again has not failed for good.
bool is_blocked_by_failure(const Node& node) {
  const bool has_failed = node.state() == State::failed && !node.standing().start_requested;
  return has_failed || std::ranges::any_of(node.edges(), [](const Edge& e) {
           return e.is_hopeless() && is_blocked_by_failure(*e.on);
         });
}

TEST(GraphModel, what_a_failure_blocks) {
  on_random_graphs([](RandomGraph& g) {
    for (const FakeNode& node : g.nodes())
      EXPECT_EQ(g.graph().is_blocked_by_failure(node), is_blocked_by_failure(node)) << node.name();
  });
}

}  // namespace
}  // namespace belfry::testing
