// Who depends on whom, and every walk over more than one edge: who is needed, who is told, who stands on
// somebody dead, who must stop and who is waited for when he does.
//
// The problem: there may be exponentially many ways through a graph of gates, chains may be ten thousand
// long, and the answers decide who is killed. So each walk looks at a node once, is iterative, and stands
// beside a naive version of itself in tests/daemon/graph.
//
// The contract: a walk reads nodes and tells them things; it never changes what a service says of itself
// (Standing). What is told takes effect in the coming turn.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/graph/node.hpp"
#include "daemon/graph/stop_plan.hpp"

namespace belfry::daemon {

// How often one looks at most for what a death that is known, and not told yet, leads to.
inline constexpr Duration longest_between_looks = std::chrono::milliseconds(50);

// Owner: the supervisor.
// Lifecycle: add() each node in the order of their indices, then connect(), and again when descriptions have
//   changed; its nodes outlive it or end with it.
class DependencyGraph {
 public:
  // `standing` is what the node itself writes, and lives as long.
  void add(Node& node, const Standing& standing) {
    node.standing_ = &standing;
    has_remote_ = has_remote_ || node.is_remote();
    nodes_.push_back(&node);
  }
  // All edges of the file, also to what no profile enables: it may be started by name. Those of before are
  // forgotten. Targets of edges count as the nodes do.
  void connect();
  // Until the next connect() the gate is counted by fewer members: those that stay, and how many it takes.
  // Zero of them: as it is drawn.
  static void count_by(Node& gate, std::uint32_t members, std::uint32_t needed) {
    gate.counted_size_ = members;
    gate.counted_needed_ = needed;
  }
  // By such a gate, perhaps a gate's gate: that is good for who runs, and nobody starts on it.
  [[nodiscard]] static bool stands_on_counted(const Node& node);

  [[nodiscard]] Node& at(std::uint32_t index) const { return *nodes_[index]; }

  // --- up and down
  // `roots` and all that they require, the roots first.
  [[nodiscard]] std::vector<Node*> required_closure(std::vector<Node*> roots) const;
  // A failure is at the bottom of what blocks it.
  [[nodiscard]] bool is_blocked_by_failure(const Node& node) const;

  // --- levels that nobody has noticed yet
  // The process of `node` is dead, or too few of a gate's members are alive, though the state does not say so
  // yet. A level that lets somebody start is only good together with "not this"; the state follows in a turn.
  [[nodiscard]] bool has_died_unnoticed(const Node& node) const;
  // Something that an edge of `node` stands on has.
  [[nodiscard]] bool stands_on_dead(const Node& node) const;

  // --- levels that are told from afar
  // Those below `node`, through gates, by whose levels its edges hold and which are known as of a time before
  // `since` only. Who is to start by them has to ask them first.
  [[nodiscard]] std::vector<Node*> known_before(const Node& node, TimePoint since) const;

  // --- who is told
  // Those who depend on `node`, and those who ask for the members of a gate above it.
  void tell_dependents(Node& node, bool bell_rang) const;

  // --- the order of stops
  // Everything goes: from now on everything above, running or done, is waited for.
  void hold_everything();
  // Somebody runs on top of it who ran at the moment `asked_in`, when it was asked to stop. Who has started
  // since did so because its edges hold without it.
  [[nodiscard]] bool is_awaiting_others(const Node& node, std::uint64_t asked_in) const;
  // It does not run any more: whoever waits below it looks again.
  void has_gone(Node& node);
  // Those who have to stop so that `roots` can: the roots first, and each after whom it depends on.
  [[nodiscard]] std::vector<Node*> who_must_stop(const std::vector<Node*>& roots) const;
  // One budget for the stop of everything, shared out; parallel to the indices.
  [[nodiscard]] std::vector<StopShare> plan_stop(TimePoint now, TimePoint deadline) const;

 private:
  [[nodiscard]] bool has_lost_members_unnoticed(const Node& gate) const;
  [[nodiscard]] bool has_on_top(const Node& node, std::uint64_t before) const;
  static void add_known_before(const Node& node, TimePoint since, std::vector<Node*>& early);
  static void count_holding(Node& node, bool holds);
  static void make_way(Node& node);
  void see_through_gates_with_new_members();

  std::vector<Node*> nodes_;
  bool everything_goes_ = false;
  bool has_remote_ = false;
};

}  // namespace belfry::daemon
