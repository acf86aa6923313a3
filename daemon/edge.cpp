#include "daemon/edge.hpp"

#include "daemon/service.hpp"

namespace belfry::daemon {

using config::Condition;

bool Edge::holds() const {
  if (spec->require && on->spec().type == config::ServiceType::gate) {
    const std::size_t needed = spec->require->count == 0 ? on->edges().size() : spec->require->count;
    return on->members_that_hold() >= needed && on->state() == State::ready;
  }
  return on->level(spec->condition, spec->bell);
}

bool Edge::lets_start() const { return holds() || (!spec->required && is_settled(on->state())); }

bool Edge::is_hopeless() const {
  if (!spec->required || holds()) return false;
  switch (on->state()) {
    case State::failed:
    case State::blocked: return true;
    case State::inactive: return on->was_stopped();
    // It has ended for good, so a level that needs it running can't come back by itself.
    case State::completed: return spec->condition != Condition::stopped;
    default: return false;
  }
}

std::string Edge::text() const {
  static constexpr const char* words[] = {"started", "ready", "completed", "stopped", ""};
  const std::string bell = spec->condition == Condition::own_bell ? spec->bell : words[static_cast<int>(spec->condition)];
  return std::string(on->name()) + " " + bell;
}

}  // namespace belfry::daemon
