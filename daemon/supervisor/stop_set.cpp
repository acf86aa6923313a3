#include "daemon/supervisor/stop_set.hpp"

#include <algorithm>

#include "daemon/service/service.hpp"

namespace belfry::daemon {

using config::Condition;
using config::ServiceType;

namespace {

// Owner: who_must_stop. Lifecycle: one request. Cancellation: none, nothing waits.
class StopSet {
 public:
  explicit StopSet(std::size_t services)
      : seen_(services), leaves_(services), is_hit_(services), asked_(services) {}

  std::vector<Service*> of(const std::vector<Service*>& roots) {
    for (Service* root : roots) {
      asked_[root->index()] = true;
      leaves_[root->index()] = is_running(root->state());  // nobody stands on what does not run
      collect(*root);
    }
    std::vector<Service*> found = roots;
    // Each is judged when all that it depends on has been: there may be exponentially many ways up.
    for (auto it = above_.rbegin(); it != above_.rend(); ++it) {
      Service& one = **it;
      if (!judge(one) || asked_[one.index()]) continue;
      leaves_[one.index()] = true;
      if (is_running(one.state())) found.push_back(&one);
    }
    return found;
  }

 private:
  // Everybody above `root`, dependents first. What has a command and does not run holds nobody up.
  void collect(Service& root) {
    struct Visit {
      Service* service;
      std::size_t next;
    };
    if (seen_[root.index()]) return;
    seen_[root.index()] = true;
    std::vector<Visit> path{{&root, 0}};
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == visit.service->dependents().size()) {
        above_.push_back(visit.service);
        path.pop_back();
        continue;
      }
      Service& dependent = *visit.service->dependents()[visit.next++];
      const bool holds_nobody = !dependent.spec().command.empty() && !is_running(dependent.state());
      if (seen_[dependent.index()] || holds_nobody) continue;
      seen_[dependent.index()] = true;
      path.push_back({&dependent, 0});
    }
  }

  bool judge(const Service& one) {
    const bool hit = std::ranges::any_of(one.edges(), [this](const Edge& edge) { return is_taken(edge); });
    is_hit_[one.index()] = hit;
    if (!hit || one.spec().type != ServiceType::gate) return hit;
    return members_that_stay(one, Condition::ready, {}) < one.members_needed();
  }

  // It stands on somebody who leaves: an edge to a gate whose members stay in their number does not.
  bool is_taken(const Edge& edge) const {
    const Service& on = *edge.on;
    if (on.spec().type != ServiceType::gate) return leaves_[on.index()] && !edge.is_done_with();
    if (asked_[on.index()]) return leaves_[on.index()] || is_hit_[on.index()];
    return is_hit_[on.index()] && !stays(edge);
  }

  // A gate that is hit may not have noticed yet, so its members are asked.
  bool stays(const Edge& edge) const {
    const Service& on = *edge.on;
    if (on.spec().type == ServiceType::gate && !asked_[on.index()]) {
      if (edge.asks_members())
        return members_that_stay(on, edge.spec->condition, *edge.spec->bell) >= edge.members_needed();
      if (is_hit_[on.index()]) return !leaves_[on.index()];
    }
    return (!leaves_[on.index()] || edge.is_done_with()) && edge.holds();
  }

  // A gate that does not hold by itself, however many members it has.
  static bool is_down(const Service& on) {
    return on.spec().type == ServiceType::gate &&
           (on.is_leaving() || (is_settled(on.state()) && on.state() != State::blocked));
  }

  std::size_t members_that_stay(const Service& gate, Condition condition, std::string_view bell) const {
    return static_cast<std::size_t>(std::ranges::count_if(gate.edges(), [&](const Edge& member) {
      if (condition == Condition::ready)
        return stays(member) && (member.asks_members() || !is_down(*member.on));
      return !leaves_[member.on->index()] && member.on->level(condition, bell);
    }));
  }

  std::vector<bool> seen_, leaves_;
  std::vector<bool> is_hit_;  // one of its edges stands on somebody who leaves
  std::vector<bool> asked_;   // the roots
  std::vector<Service*> above_;
};

}  // namespace

std::vector<Service*> who_must_stop(const std::vector<Service*>& roots, std::size_t services) {
  return StopSet(services).of(roots);
}

}  // namespace belfry::daemon
