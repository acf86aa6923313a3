#include "daemon/journal/timeline.hpp"

#include <algorithm>

namespace belfry::daemon {

void Timeline::entered(std::size_t service, State from, State to, TimePoint at, std::uint64_t incarnation) {
  Milestones& its = services_[service];
  const bool asked_anew = to == State::waiting && is_settled(from) && from != State::blocked;
  if (asked_anew) its = Milestones{.wanted = at};
  // A restart by command, or after a loss, leaves no settled state behind.
  if (to == State::waiting && its.ready) its.over = true;
  if (its.over) return;
  switch (to) {
    case State::waiting:
      its.waiting = at;
      its.starting = its.started = its.stopped = Milestone();
      break;
    case State::starting:
      its.starting = at;
      its.incarnation = static_cast<std::uint32_t>(incarnation);
      ++its.attempts;
      break;
    case State::ready:
      if (!its.ready) its.ready = at;
      break;
    case State::completed:
      its.stopped = at;
      its.over = true;
      break;
    case State::backoff:
    case State::failed:
    case State::inactive:
      its.stopped = at;
      its.over = its.ready.has_value();
      break;
    case State::unready:
    case State::stopping:
    case State::blocked: break;
  }
}

void Timeline::started(std::size_t service, TimePoint at) {
  if (!services_[service].over) services_[service].started = at;
}

void Timeline::edges_hold_since(std::size_t service, std::span<const Milestone> edges) {
  Milestones& its = services_[service];
  if (edges.empty()) return;
  if (its.edges == nullptr) its.edges = std::make_unique<Milestone[]>(edges.size());
  std::ranges::copy(edges, its.edges.get());
}

}  // namespace belfry::daemon
