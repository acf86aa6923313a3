#include "tests/simulation/oracle.hpp"

#include <algorithm>

namespace belfry::simulation {

using config::Condition;
using config::ServiceType;
using daemon::Edge;
using daemon::Intent;
using daemon::Service;
using daemon::service_of;
using daemon::State;

namespace {

bool runs(const Service& s) { return daemon::is_running(s.state()); }
bool leaves(const Service& s) { return s.record().intent != Intent::run; }
// A gate that goes out of order only counts its members anew.
bool leaves_for_good(const Service& gate) { return leaves(gate) && gate.record().in_order; }
// It does not hold, however many of its members do.
bool is_down(const Service& gate) {
  return leaves_for_good(gate) || (daemon::is_settled(gate.state()) && gate.state() != State::blocked);
}
bool is_transparent(const Service& s) {
  return s.spec().type == ServiceType::gate || s.spec().type == ServiceType::external;
}

std::string of(const Service& s) {
  return std::string(s.name()) + " (" + std::string(daemon::name_of(s.state())) + ")";
}

}  // namespace

bool Oracle::level(const Service& s, Condition condition, std::string_view bell) const {
  const bool completed = s.record().last_run_succeeded && !(runs(s) && leaves(s));
  if (s.spec().type == ServiceType::gate && condition != Condition::ready) {
    const std::size_t needed = s.spec().require.count == 0 ? s.edges().size() : s.spec().require.count;
    return !leaves(s) && members(s, condition) >= needed;
  }
  switch (condition) {
    case Condition::started:
      return !leaves(s) && !s.record().run.exit && s.incarnation()->started.rung() &&
             (s.state() == State::starting || s.state() == State::ready || s.state() == State::unready);
    case Condition::ready:
      if (s.spec().type == ServiceType::oneshot && s.spec().ready.empty()) return completed;
      return !leaves(s) && !s.record().run.exit && s.state() == State::ready && s.incarnation()->ready.rung();
    case Condition::completed: return completed;
    case Condition::stopped: return s.record().has_run && !runs(s) && !s.record().stuck;
    case Condition::own_bell:
      return s.incarnation()->has_own(bell) && s.incarnation()->own(bell).rung() &&
             (s.state() == State::completed ||
              (!leaves(s) && !s.record().run.exit && runs(s) && s.state() != State::stopping));
  }
  return false;
}

std::size_t Oracle::members(const Service& gate, Condition condition) const {
  std::size_t count = 0;
  for (const Edge& e : gate.edges())
    count += condition == Condition::ready ? holds(e) : level(service_of(*e.on), condition);
  return count;
}

bool Oracle::holds(const Edge& edge) const {
  const Service& on = service_of(*edge.on);
  if (!edge.spec->require || on.spec().type != ServiceType::gate)
    return level(on, edge.spec->condition, *edge.spec->bell);
  const std::size_t needed = edge.spec->require->count == 0 ? on.size() : edge.spec->require->count;
  return !leaves_for_good(on) && members(on, edge.spec->condition) >= needed;
}

bool Oracle::lets_start(const Edge& edge) const {
  if (holds(edge)) return true;
  if (edge.spec->required) return false;
  if (!edge.asks_members()) return daemon::is_settled(edge.on->state());
  // Of a gate it has settled whether enough members can ever hold.
  return edge.lets_start();
}

bool Oracle::can_start(const Service& s) const {
  if (s.spec().type == ServiceType::gate) {
    // Of one that is about to lose some by an exchange, it is as many as the new file takes.
    return members(s, Condition::ready) >= s.members_needed();
  }
  return std::ranges::all_of(s.edges(), [this](const Edge& e) { return lets_start(e); });
}

// A oneshot that succeeded has done all that who waited for its completion needs of it, also while it runs
// again; and a stop takes nothing from who waits for one.
bool Oracle::is_done(const Edge& edge) {
  const Service& on = service_of(*edge.on);
  if (edge.spec->condition == Condition::stopped) return true;
  if (on.spec().type != ServiceType::oneshot || !on.record().last_run_succeeded) return false;
  return edge.spec->condition == Condition::completed ||
         (edge.spec->condition == Condition::ready && on.spec().ready.empty());
}

bool Oracle::needs_no_more(const Service& dependent, const Service& on) {
  return std::ranges::all_of(dependent.edges(), [&on](const Edge& e) { return e.on != &on || is_done(e); });
}

std::vector<const Service*> Oracle::on_top_of(const Service& root, bool through_all) const {
  std::vector<const Service*> found{&root};
  std::vector<bool> seen(supervisor_.service_count(), false);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0 && !through_all && !is_transparent(*found[i])) continue;
    for (const daemon::Node* above : found[i]->dependents()) {
      const Service* dependent = &service_of(*above);
      if (seen[dependent->index()]) continue;
      if (!through_all && needs_no_more(*dependent, *found[i])) continue;
      // Above a gate only those were asked who cannot do with its other members.
      const bool stays = !leaves(*dependent) && dependent->state() != State::stopping;
      const bool counts_members = found[i]->spec().type == ServiceType::gate;
      if (!through_all && counts_members && stays && dependent->spec().type != ServiceType::gate) continue;
      seen[dependent->index()] = true;
      found.push_back(dependent);
    }
  }
  found.erase(found.begin());
  return found;
}

std::optional<std::string> Oracle::check_start(const Service& service) const {
  if (leaves(service)) return of(service) + " starts although it was asked to stop";
  if (service.spec().type == ServiceType::gate && !can_start(service))
    return of(service) + " starts with too few members";
  if (service.spec().type == ServiceType::gate) return std::nullopt;
  for (const Edge& edge : service.edges()) {
    if (!lets_start(edge)) return of(service) + " starts although " + edge.text() + " does not hold";
    const bool needs_process =
        edge.spec->condition != Condition::completed && edge.spec->condition != Condition::stopped;
    if (holds(edge) && needs_process && !edge.spec->require && stands_on_dead(service_of(*edge.on)))
      return of(service) + " starts although the process of " + edge.text() + " is dead";
  }
  return std::nullopt;
}

// Whatever the daemon knows of it. A gate may have members to spare.
bool Oracle::stands_on_dead(const Service& on) const {
  if (on.spec().type == ServiceType::gate) {
    const auto alive = std::ranges::count_if(on.edges(), [this](const Edge& member) {
      return holds(member) && (member.spec->require || !stands_on_dead(service_of(*member.on)));
    });
    const std::size_t needed = on.spec().require.count == 0 ? on.edges().size() : on.spec().require.count;
    return runs(on) && static_cast<std::size_t>(alive) < needed;
  }
  // A oneshot is ready when it has completed.
  if (on.spec().type == ServiceType::oneshot && on.spec().ready.empty()) return false;
  // What went to the background has no main process that anybody could look at.
  if (on.record().run.in_background) return false;
  return runs(on) && !on.spec().command.empty() && !processes_.runs(on.name());
}

std::optional<std::string> Oracle::check_stop(const Service& service, bool going_down) const {
  const auto& record = service.record();
  if (record.intent == Intent::run || !record.in_order || record.run.failure) return std::nullopt;
  // Nobody can stand on what never came to run: a start that was called off in its pre_start.
  if (!service.incarnation()->started.rung()) return std::nullopt;
  for (const Service* dependent : on_top_of(service, going_down)) {
    const bool left = processes_.alive(dependent->name()) && !dependent->record().stuck;
    if (!runs(*dependent) && !left) continue;
    if (!going_down && dependent->spec().type == ServiceType::gate) continue;  // it has nothing to stop
    // Who has started since the stop was announced does so because its edges hold without it.
    if (!going_down && dependent->record().started_in > record.asked_in) continue;
    return of(service) + " is asked to stop while " + of(*dependent) + " runs on top of it";
  }
  return std::nullopt;
}

std::optional<std::string> Oracle::check_loss(const Service& service) const {
  const std::string cause = service.record().cause ? service.record().cause.text() : std::string();
  if (!cause.starts_with("lost ")) return std::nullopt;
  const auto lost = [&](const Edge& e) { return cause == "lost " + e.text() && !holds(e); };
  if (std::ranges::any_of(service.edges(), lost)) return std::nullopt;
  return of(service) + " stops because it " + cause + ", which holds";
}

void Oracle::remember_requests() {
  for (const auto& service : supervisor_.services())
    last_request_ = std::max(last_request_, service->record().asked_in);
}

// What will be left when all who were asked have gone. A gate may not have noticed yet, so its members count.
bool Oracle::stands(const Edge& edge) const {
  const Service& on = service_of(*edge.on);
  if (on.spec().type != ServiceType::gate)
    return (is_done(edge) && edge.spec->condition != Condition::stopped) ||
           level(on, edge.spec->condition, *edge.spec->bell);
  const auto& own = edge.spec->require;
  const std::size_t needed = !own ? on.members_needed() : own->count == 0 ? on.size() : own->count;
  const auto counts = [&](const Edge& member) {
    if (edge.spec->condition != Condition::ready)
      return level(service_of(*member.on), edge.spec->condition, *edge.spec->bell);
    const bool by_itself = member.on->spec().type == ServiceType::gate && !member.asks_members();
    return stands(member) && !(by_itself && is_down(service_of(*member.on)));
  };
  return static_cast<std::size_t>(std::ranges::count_if(on.edges(), counts)) >= needed;
}

// Whether the edge stands on `asked`, be it by way of gates, none of which can do without it.
bool Oracle::is_taken_by(const Edge& edge, const Service& asked) const {
  if (edge.on == &asked) return !is_done(edge);
  if (edge.on->spec().type != ServiceType::gate || stands(edge)) return false;
  return std::ranges::any_of(edge.on->edges(),
                             [&](const Edge& member) { return is_taken_by(member, asked); });
}

std::optional<std::string> Oracle::check_requests() const {
  for (const auto& asked : supervisor_.services()) {
    const auto& record = asked->record();
    if (record.asked_in <= last_request_ || !record.in_order || !runs(*asked) || is_transparent(*asked))
      continue;
    // Who is on its way to settle by itself is a lost level already, and no news.
    if (asked->state() == State::stopping && record.run.exit) continue;
    for (const auto& other : supervisor_.services()) {
      if (!runs(*other) || leaves(*other) || other->state() == State::stopping || is_transparent(*other))
        continue;
      if (other->record().started_in > record.asked_in) continue;  // because its edges hold without it
      for (const Edge& edge : other->edges()) {
        if (is_taken_by(edge, *asked))
          return of(*asked) + " is asked to stop and " + of(*other) + " is not, although " + edge.text() +
                 " does not outlast it";
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> Oracle::check_bells(const Service& s) const {
  const auto& bells = *s.incarnation();
  if (bells.stopped.ended() && !(bells.started.ended() && bells.ready.ended()))
    return of(s) + ": stopped has ended before another bell";
  if (bells.ready.rung() && !bells.started.rung()) return of(s) + ": is ready and has never started";
  const bool over = daemon::is_settled(s.state()) && (s.record().has_run || s.record().wanted);
  if (over && !bells.stopped.ended()) return of(s) + ": has settled and its bells have not ended";
  if (s.state() == State::ready && !bells.ready.rung()) return of(s) + ": its bell has not rung";
  return std::nullopt;
}

std::optional<std::string> Oracle::check_idle(const Service& s) const {
  const auto& record = s.record();
  const bool alive = processes_.alive(s.name());
  if (alive && !runs(s) && !record.stuck) return of(s) + " has processes left";
  if (!runs(s) && leaves(s)) return of(s) + " has not heard that it is to stop";
  if (!runs(s) && record.start_requested) return of(s) + " has not heard that it is to start";
  const bool has_command = !s.spec().command.empty();
  if (has_command && !alive && runs(s)) return of(s) + " although nothing of it is left";
  switch (s.state()) {
    case State::waiting:
      if (s.is_held_back() || daemon::DependencyGraph::stands_on_counted(s)) break;
      if (can_start(s) && (!has_command || slots_left() > 0)) return of(s) + " waits although it could start";
      break;
    case State::starting:
      if (s.spec().type == ServiceType::daemon && s.spec().ready.empty() && s.facts().hook == 0)
        return of(s) + " has nothing to wait for";
      if (s.spec().type == ServiceType::gate) return of(s) + " is a gate that starts";
      break;
    case State::stopping:
      if (!has_command) return of(s) + " is stopping although it has no processes";
      break;
    case State::ready:
      if (s.spec().type == ServiceType::gate && !leaves(s) && !can_start(s))
        return of(s) + " is ready with too few members";
      break;
    case State::blocked: {
      if (s.is_held_back()) break;
      const auto gives_up = [](const Edge& e) {
        const State on = e.on->state();
        return on == State::failed || on == State::blocked || on == State::completed ||
               on == State::inactive || e.asks_members();
      };
      if (std::ranges::none_of(s.edges(), gives_up)) return of(s) + " is blocked by nothing";
      break;
    }
    default: break;
  }
  // A hook of its start that was asked to end has its time.
  if (runs(s) && leaves(s) && s.state() != State::stopping && s.facts().hook == 0) {
    const auto above = on_top_of(s, true);
    const bool awaited = std::ranges::any_of(
        above, [](const Service* d) { return runs(*d) && (leaves(*d) || d->state() == State::stopping); });
    if (!awaited) return of(s) + " was asked to stop and waits for nobody";
  }
  return check_bells(s);
}

// How many more services may start; below zero: too many do.
long Oracle::slots_left() const {
  if (limit_ == 0) return 1;
  const auto starts = [](const auto& s) {
    return s->state() == State::starting && !s->spec().command.empty();
  };
  return static_cast<long>(limit_) - std::ranges::count_if(supervisor_.services(), starts);
}

// Who ends the stack by what became of it, and whether that was noticed.
std::optional<std::string> Oracle::check_ending() const {
  for (const auto& s : supervisor_.services()) {
    const bool main_ended = s->spec().main && (s->state() == State::completed || s->state() == State::failed);
    const bool lost = s->spec().essential && s->state() == State::failed;
    if (!main_ended && !lost) continue;
    if (!supervisor_.ending().ended()) return of(*s) + " does not end the stack";
    const auto& ending = supervisor_.ending().value();
    const bool by_it = ending.reason.starts_with("main service " + std::string(s->name()) + " ") &&
                       supervisor_.ending().at() == s->record().since;
    const auto& exit = s->record().run.exit;
    const int code = exit ? exit->shell_code() : 0;
    // It was given up, and how it ended was known later.
    const bool given_up = s->record().run.killed && s->state() == State::failed && ending.code == 69;
    if (by_it && !given_up && ending.code != (code == 0 && s->state() == State::failed ? 69 : code))
      return of(*s) + " ends the stack with code " + std::to_string(ending.code);
  }
  return std::nullopt;
}

std::optional<std::string> Oracle::check_idle() const {
  if (slots_left() < 0) return "more services start at once than may";
  for (const auto& service : supervisor_.services()) {
    if (auto wrong = check_idle(*service)) return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> Oracle::check_losses(TimePoint now) {
  for (const auto& service : supervisor_.services()) {
    const bool cares = runs(*service) && !leaves(*service) && service->state() != State::stopping &&
                       service->spec().type != ServiceType::gate;
    for (const Edge& edge : service->edges()) {
      const bool done_for_good =
          edge.on->spec().type == ServiceType::oneshot &&
          (edge.spec->condition == Condition::completed || edge.on->spec().ready.empty()) &&
          edge.spec->condition != Condition::started && edge.spec->condition != Condition::stopped;
      const bool lost = cares && edge.spec->on_loss != config::OnLoss::ignore && !done_for_good &&
                        !lets_start(edge) && !edge.awaits_new();
      if (!lost) {
        lost_since_.erase(&edge);
        continue;
      }
      const TimePoint since = lost_since_.try_emplace(&edge, now).first->second;
      if (now >= since + edge.spec->loss_after)
        return of(*service) + " has not acted on the loss of " + edge.text();
    }
  }
  return std::nullopt;
}

void Oracle::look_at_regained(const Service& service, bool starts) {
  for (const daemon::Node* above : service.dependents()) {
    const Service* dependent = &service_of(*above);
    for (const Edge& edge : dependent->edges()) {
      // Its bell rings right after the state has changed.
      const bool is_back = edge.on == &service && (service.state() == State::ready ||
                                                   (starts && edge.spec->condition == Condition::started));
      if (is_back || lets_start(edge)) lost_since_.erase(&edge);
    }
    if (dependent->spec().type == ServiceType::gate) look_through(*dependent);
  }
}

// Edges that count a gate's members see those come back, too.
void Oracle::look_through(const Service& gate) {
  for (const daemon::Node* above : gate.dependents()) {
    const Service* dependent = &service_of(*above);
    for (const Edge& edge : dependent->edges()) {
      // The member that has just come back rings in a moment: whether it was the one that lacked is not
      // asked.
      if (edge.on == &gate && (edge.asks_members() || lets_start(edge))) lost_since_.erase(&edge);
    }
    if (dependent->spec().type == ServiceType::gate) look_through(*dependent);
  }
}

std::optional<std::string> Oracle::check_up() const {
  for (const auto& service : supervisor_.services()) {
    if (!service->record().wanted) continue;
    if (service->state() == State::ready || daemon::is_settled(service->state())) continue;
    std::string text = of(*service) + " is not up although everybody behaves:";
    for (const auto& missing : daemon::waiting_for(*service)) text += " waits for " + missing;
    return text + " " + daemon::last_error(*service);
  }
  return std::nullopt;
}

}  // namespace belfry::simulation
