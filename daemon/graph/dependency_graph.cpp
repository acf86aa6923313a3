#include "daemon/graph/dependency_graph.hpp"

#include <algorithm>
#include <utility>

namespace belfry::daemon {

using config::Condition;

namespace {

// Nodes to look at, each once, in the order in which they were found.
template <class N>
void find_once(std::vector<N*>& found, N* node) {
  if (std::ranges::find(found, node) == found.end()) found.push_back(node);
}

// To who runs; and what was new before, and has not held since, stays so.
bool is_new(const Edge& edge, const std::vector<Edge>& before, bool runs) {
  const auto known = std::ranges::find(before, edge.on, &Edge::on);
  return known == before.end() ? runs : known->is_new;
}

}  // namespace

void DependencyGraph::connect() {
  std::vector<std::vector<Edge>> before;
  before.reserve(nodes_.size());
  for (Node* node : nodes_) {
    before.push_back(std::exchange(node->edges_, {}));
    count_by(*node, 0, 0);
    node->dependents_.clear();
    node->cares_about_loss_ = node->seen_through_ = false;
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node* const node = nodes_[i];
    node->edges_.reserve(node->spec().depends_on.size());
    for (const config::Dependency& dependency : node->spec().depends_on) {
      Node& other = *nodes_[dependency.target];
      Edge& edge = node->edges_.emplace_back(other, dependency);
      edge.is_new = is_new(edge, before[i], is_running(node->state()));
      other.dependents_.push_back(node);
      other.seen_through_ = other.seen_through_ || edge.asks_members();
      node->cares_about_loss_ = node->cares_about_loss_ || dependency.on_loss != config::OnLoss::ignore;
    }
  }
  see_through_gates_with_new_members();
}

// Whether a gate lacks new members alone is asked by whoever runs on it, though the gate waits all the time.
void DependencyGraph::see_through_gates_with_new_members() {
  std::vector<Node*> gates;
  for (Node* node : nodes_)
    if (node->is_gate() && std::ranges::any_of(node->edges_, &Edge::is_new)) gates.push_back(node);
  for (std::size_t i = 0; i < gates.size(); ++i) {
    gates[i]->seen_through_ = true;
    for (Node* above : gates[i]->dependents_)
      if (above->is_gate()) find_once(gates, above);
  }
}

std::vector<Node*> DependencyGraph::required_closure(std::vector<Node*> roots) const {
  std::vector<bool> seen(nodes_.size(), false);
  for (const Node* root : roots) seen[root->index()] = true;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    for (const Edge& edge : roots[i]->edges()) {
      if (!edge.spec->required || seen[edge.on->index()]) continue;
      seen[edge.on->index()] = true;
      roots.push_back(edge.on);
    }
  }
  return roots;
}

bool DependencyGraph::is_blocked_by_failure(const Node& node) const {
  std::vector<const Node*> chain{&node};
  std::vector<bool> seen(nodes_.size(), false);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (chain[i]->state() == State::failed && !chain[i]->standing().start_requested) return true;
    for (const Edge& edge : chain[i]->edges()) {
      if (!edge.is_hopeless() || seen[edge.on->index()]) continue;
      seen[edge.on->index()] = true;
      chain.push_back(edge.on);
    }
  }
  return false;
}

bool DependencyGraph::has_died_unnoticed(const Node& node) const {
  if (node.is_gate()) return has_lost_members_unnoticed(node) || stands_on_dead(node);
  return node.process_has_died();
}

// A gate learns of its members by a wake-up, so its own level may be a moment old.
bool DependencyGraph::has_lost_members_unnoticed(const Node& gate) const {
  if (!gate.level(Condition::ready)) return false;
  const auto stands = [](const Edge& member) {
    return member.holds() && (member.on->is_gate() || !member.on->process_has_died());
  };
  return static_cast<std::size_t>(std::ranges::count_if(gate.edges(), stands)) < gate.members_needed();
}

bool DependencyGraph::stands_on_counted(const Node& node) {
  std::vector<const Node*> through{&node};
  for (std::size_t i = 0; i < through.size(); ++i) {
    if (through[i]->is_counted_ahead()) return true;
    for (const Edge& edge : through[i]->edges())
      if (edge.on->is_gate()) find_once<const Node>(through, edge.on);
  }
  return false;
}

// The members of a gate are counted with their gate, and not looked at one by one.
bool DependencyGraph::stands_on_dead(const Node& node) const {
  std::vector<const Node*> through{&node};
  for (std::size_t i = 0; i < through.size(); ++i) {
    for (const Edge& edge : through[i]->edges()) {
      const Node& on = *edge.on;
      if (!on.is_gate() && i > 0) continue;
      if (!is_running(on.state()) || edge.needs_no_process()) continue;
      if (on.is_gate() ? has_lost_members_unnoticed(on) : on.process_has_died()) return true;
      if (on.is_gate()) find_once(through, &on);
    }
  }
  return false;
}

// A gate that holds without them does not need to know more of them.
void DependencyGraph::add_known_before(const Node& node, TimePoint since, std::vector<Node*>& early) {
  std::vector<Node*> own;
  std::size_t holding = 0;
  for (const Edge& edge : node.edges()) {
    if (!edge.holds()) continue;
    ++holding;
    const bool is_early = edge.spec->required && edge.spec->condition == Condition::ready &&
                          edge.on->is_remote() && edge.on->known_as_of() < since;
    if (is_early) own.push_back(edge.on);
  }
  if (node.is_gate() && holding - own.size() >= node.members_needed()) return;
  for (Node* one : own) find_once(early, one);
}

std::vector<Node*> DependencyGraph::known_before(const Node& node, TimePoint since) const {
  std::vector<Node*> early;
  if (!has_remote_) return early;
  std::vector<const Node*> through{&node};
  for (std::size_t i = 0; i < through.size(); ++i) {
    for (const Edge& edge : through[i]->edges()) {
      if (edge.on->is_gate() && edge.spec->required) find_once<const Node>(through, edge.on);
    }
    add_known_before(*through[i], since, early);
  }
  return early;
}

void DependencyGraph::tell_dependents(Node& node, bool bell_rang) const {
  std::vector<const Node*> through;
  const auto tell = [&through](const Node& news_of, bool rang) {
    for (Node* dependent : news_of.dependents()) {
      dependent->dependency_changed(rang);
      if (dependent->seen_through_) find_once<const Node>(through, dependent);
    }
  };
  tell(node, bell_rang);
  node.level_changed();
  for (std::size_t i = 0; i < through.size(); ++i) {
    tell(*through[i], false);
    nodes_[through[i]->index()]->level_changed();
  }
}

// When everything goes, what has ended holds as well: who needs a database by way of a migration that was
// done long ago still needs the database. Counted, because it is asked as often as there are edges.
void DependencyGraph::hold_everything() {
  if (everything_goes_) return;
  everything_goes_ = true;
  for (Node* node : nodes_) {
    if (is_running(node->state())) count_holding(*node, true);
  }
}

void DependencyGraph::count_holding(Node& node, bool holds) {
  struct Visit {
    Node* node;
    std::size_t next = 0;
  };
  std::vector<Visit> path{{.node = &node}};
  while (!path.empty()) {
    Visit& visit = path.back();
    if (visit.next == visit.node->edges_.size()) {
      Node* done = visit.node;
      path.pop_back();
      if (!holds && done != &node) done->look_again();
      continue;
    }
    Node& on = *visit.node->edges_[visit.next++].on;
    if (holds ? ++on.holders_ != 1 : --on.holders_ != 0) continue;
    if (!is_running(on.state()))
      path.push_back({.node = &on});
    else if (!holds)
      on.look_again();
  }
}

bool DependencyGraph::is_awaiting_others(const Node& node, std::uint64_t asked_in) const {
  return everything_goes_ ? node.is_held() : has_on_top(node, asked_in);
}

// A gate has nothing to stop itself, and of those above it nobody is waited for who was not asked: they can
// do with its other members.
bool DependencyGraph::has_on_top(const Node& node, std::uint64_t before) const {
  std::vector<const Node*> through{&node};
  for (std::size_t i = 0; i < through.size(); ++i) {
    const bool counts_members = through[i]->is_gate();
    for (const Node* above : through[i]->dependents()) {
      if (above->is_done_with(*through[i])) continue;
      const bool stays = !above->is_leaving();
      if (!above->is_gate() && counts_members && stays) continue;
      if (!above->is_gate() && is_running(above->state()) && above->standing().started_in < before)
        return true;
      if (above->is_transparent()) find_once(through, above);
    }
  }
  return false;
}

void DependencyGraph::has_gone(Node& node) {
  if (!everything_goes_)
    make_way(node);
  else if (!node.is_held())
    count_holding(node, false);
}

void DependencyGraph::make_way(Node& node) {
  std::vector<Node*> through{&node};
  for (std::size_t i = 0; i < through.size(); ++i) {
    for (const Edge& edge : through[i]->edges()) {
      if (edge.on->standing().intent != Intent::run) edge.on->look_again();
      if (edge.on->is_transparent()) find_once(through, edge.on);
    }
  }
}

std::vector<StopShare> DependencyGraph::plan_stop(TimePoint now, TimePoint deadline) const {
  std::vector<StopNode> plan(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = *nodes_[i];
    if (is_running(node.state()) && !node.spec().command.empty()) plan[i].timeout = node.stop_allowance();
    for (const Edge& edge : node.edges()) plan[i].below.push_back(edge.on->index());
  }
  return daemon::plan_stop(plan, now, deadline);
}

}  // namespace belfry::daemon
