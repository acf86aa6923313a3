#include "daemon/graph/node.hpp"

#include <algorithm>

namespace belfry::daemon {

using config::Condition;
using config::ServiceType;

bool Node::level(Condition condition, std::string_view bell) const {
  if (is_gate() && condition != Condition::ready)
    return standing_->intent == Intent::run && members_that_hold(condition, bell) >= members_needed();
  return own_level(condition, bell);
}

bool Node::default_level() const {
  return level(spec_->type == ServiceType::oneshot ? Condition::completed : Condition::ready);
}

std::size_t Node::members_that_hold(Condition condition, std::string_view bell) const {
  const auto holds = [condition, bell](const Edge& e) {
    return condition == Condition::ready ? e.holds() : e.on->level(condition, bell);
  };
  return static_cast<std::size_t>(std::ranges::count_if(edges_, holds));
}

std::size_t Node::members_needed() const {
  if (counted_size_ != 0) return counted_needed_;
  return spec_->require.count == 0 ? edges_.size()
                                   : std::min<std::size_t>(spec_->require.count, edges_.size());
}

void Node::take_new_edges() {
  for (Edge& edge : edges_) edge.is_new = edge.is_new && !edge.holds();
}

bool Node::edges_hold() const {
  if (is_gate()) return members_that_hold() >= members_needed();
  return first_missing_edge() == nullptr;
}

const Edge* Node::first_missing_edge() const {
  const auto it = std::ranges::find_if(edges_, [](const Edge& e) { return !e.lets_start(); });
  return it == edges_.end() ? nullptr : &*it;
}

const Edge* Node::hopeless_edge() const {
  const Edge* first = nullptr;
  std::size_t hopeless = 0;
  for (const Edge& edge : edges_) {
    if (!edge.is_hopeless()) continue;
    if (first == nullptr) first = &edge;
    ++hopeless;
  }
  return is_gate() && edges_.size() - hopeless >= members_needed() ? nullptr : first;
}

bool Node::is_done_with(const Node& other) const {
  return std::ranges::all_of(edges_, [&other](const Edge& e) { return e.on != &other || e.is_done_with(); });
}

}  // namespace belfry::daemon
