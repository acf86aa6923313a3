#include "daemon/graph/edge.hpp"

#include <algorithm>

#include "config/model/enum_names.hpp"
#include "daemon/graph/node.hpp"

namespace belfry::daemon {

using config::Condition;

namespace {

// A level of `on` that does not hold, and can't by itself. Who has just been asked to start leaves its state
// in this turn.
bool gives_up(const Node& on, Condition condition) {
  if (on.standing().start_requested) return false;
  switch (on.state()) {
    case State::failed:
    case State::blocked:
    case State::inactive:
      return true;  // until somebody starts it
    // It has ended for good, so a level that needs it running can't come back by itself.
    case State::completed: return condition != Condition::stopped;
    default: return false;
  }
}

}  // namespace

bool Edge::holds() const {
  // A gate that goes out of order only counts its members anew.
  const bool goes = on->is_leaving() && on->standing().in_order;
  if (asks_members()) return !goes && on->members_that_hold(spec->condition, *spec->bell) >= members_needed();
  return on->level(spec->condition, *spec->bell);
}

// `require` of an edge replaces the gate's own; a condition other than ready is the members', not the gate's.
bool Edge::asks_members() const {
  return on->is_gate() && (spec->require || spec->condition != Condition::ready);
}

std::size_t Edge::members_needed() const {
  if (!spec->require) return on->members_needed();
  return spec->require->count == 0 ? on->size() : spec->require->count;
}

bool Edge::lets_start() const {
  if (holds()) return true;
  if (spec->required) return false;
  if (asks_members() && on->state() != State::inactive) return too_few_are_left();
  return is_settled(on->state()) &&
         !on->standing().start_requested;  // who was asked to start has not settled
}

bool Edge::is_hopeless() const {
  if (!spec->required || holds()) return false;
  return asks_members() && on->state() != State::inactive ? too_few_are_left()
                                                          : gives_up(*on, spec->condition);
}

bool Edge::too_few_are_left() const {
  const Condition asked = spec->condition;
  const std::string_view bell = *spec->bell;
  const auto lost = std::ranges::count_if(on->edges(), [asked, bell](const Edge& member) {
    if (asked == Condition::ready) return member.is_hopeless();
    return !member.on->level(asked, bell) && gives_up(*member.on, asked);
  });
  return on->edges().size() - static_cast<std::size_t>(lost) < members_needed();
}

// A completed oneshot has done its work: that is not undone by its running once more.
bool Edge::cannot_be_lost() const {
  if (on->spec().type != config::ServiceType::oneshot) return false;
  return spec->condition == Condition::completed ||
         (spec->condition == Condition::ready && on->ready_means_completed());
}

// A gate with a new member begins to wait for it. That concerns whoever is to start, and nobody who runs.
bool Edge::awaits_new() const {
  if (is_new) return true;
  if (!on->is_gate() || on->state() == State::inactive) return false;
  if (on->is_leaving() && on->standing().in_order) return false;
  return members_but_new() >= members_needed();
}

// Those that hold, or would but for new ones.
std::size_t Edge::members_but_new() const {
  const Condition asked = spec->condition;
  const auto counts = [asked, this](const Edge& member) {
    const bool holds = asked == Condition::ready ? member.holds() : member.on->level(asked, *spec->bell);
    return holds || member.awaits_new();
  };
  return static_cast<std::size_t>(std::ranges::count_if(on->edges(), counts));
}

bool Edge::needs_no_process() const {
  return spec->condition == Condition::stopped || spec->condition == Condition::completed ||
         (spec->condition == Condition::ready && on->ready_means_completed());
}

bool Edge::is_done_with() const {
  return spec->condition == Condition::stopped || (cannot_be_lost() && on->standing().last_run_succeeded);
}

std::string Edge::text() const {
  const std::string bell =
      spec->condition == Condition::own_bell ? *spec->bell : std::string(config::name_of(spec->condition));
  return std::string(on->name()) + " " + bell;
}

}  // namespace belfry::daemon
