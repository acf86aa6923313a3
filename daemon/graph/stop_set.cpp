// Who has to stop so that others can.
#include <algorithm>

#include "daemon/graph/dependency_graph.hpp"

namespace belfry::daemon {

using config::Condition;

namespace {

// Judges everybody above the roots, once.
class StopSet {
 public:
  explicit StopSet(std::size_t nodes) : seen_(nodes), leaves_(nodes), is_hit_(nodes), asked_(nodes) {}

  std::vector<Node*> of(const std::vector<Node*>& roots) {
    for (Node* root : roots) {
      asked_[root->index()] = true;
      leaves_[root->index()] = is_running(root->state());  // nobody stands on what does not run
      collect(*root);
    }
    std::vector<Node*> found = roots;
    // Each is judged when all that it depends on has been: there may be exponentially many ways up.
    for (auto it = above_.rbegin(); it != above_.rend(); ++it) {
      Node& one = **it;
      if (!judge(one) || asked_[one.index()]) continue;
      leaves_[one.index()] = true;
      if (is_running(one.state())) found.push_back(&one);
    }
    return found;
  }

 private:
  // Everybody above `root`, dependents first. What has a command and does not run holds nobody up.
  void collect(Node& root) {
    struct Visit {
      Node* node;
      std::size_t next;
    };
    if (seen_[root.index()]) return;
    seen_[root.index()] = true;
    std::vector<Visit> path{{&root, 0}};
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == visit.node->dependents().size()) {
        above_.push_back(visit.node);
        path.pop_back();
        continue;
      }
      Node& dependent = *visit.node->dependents()[visit.next++];
      const bool holds_nobody = !dependent.spec().command.empty() && !is_running(dependent.state());
      if (seen_[dependent.index()] || holds_nobody) continue;
      seen_[dependent.index()] = true;
      path.push_back({&dependent, 0});
    }
  }

  bool judge(const Node& one) {
    const bool hit = std::ranges::any_of(one.edges(), [this](const Edge& edge) { return is_taken(edge); });
    is_hit_[one.index()] = hit;
    if (!hit || !one.is_gate()) return hit;
    return members_that_stay(one, Condition::ready, {}) < one.members_needed();
  }

  // It stands on somebody who leaves: an edge to a gate whose members stay in their number does not.
  bool is_taken(const Edge& edge) const {
    const Node& on = *edge.on;
    if (!on.is_gate()) return leaves_[on.index()] && !edge.is_done_with();
    if (asked_[on.index()]) return leaves_[on.index()] || is_hit_[on.index()];
    return is_hit_[on.index()] && !stays(edge);
  }

  // A gate that is hit may not have noticed yet, so its members are asked.
  bool stays(const Edge& edge) const {
    const Node& on = *edge.on;
    if (on.is_gate() && !asked_[on.index()]) {
      if (edge.asks_members())
        return members_that_stay(on, edge.spec->condition, *edge.spec->bell) >= edge.members_needed();
      if (is_hit_[on.index()]) return !leaves_[on.index()];
    }
    return (!leaves_[on.index()] || edge.is_done_with()) && edge.holds();
  }

  // A gate that does not hold by itself, however many members it has.
  static bool is_down(const Node& on) {
    return on.is_gate() && (on.is_leaving() || (is_settled(on.state()) && on.state() != State::blocked));
  }

  std::size_t members_that_stay(const Node& gate, Condition condition, std::string_view bell) const {
    return static_cast<std::size_t>(std::ranges::count_if(gate.edges(), [&](const Edge& member) {
      if (condition == Condition::ready)
        return stays(member) && (member.asks_members() || !is_down(*member.on));
      return !leaves_[member.on->index()] && member.on->level(condition, bell);
    }));
  }

  std::vector<bool> seen_, leaves_;
  std::vector<bool> is_hit_;  // one of its edges stands on somebody who leaves
  std::vector<bool> asked_;   // the roots
  std::vector<Node*> above_;
};

}  // namespace

std::vector<Node*> DependencyGraph::who_must_stop(const std::vector<Node*>& roots) const {
  return StopSet(nodes_.size()).of(roots);
}

}  // namespace belfry::daemon
