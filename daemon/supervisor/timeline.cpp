// What is written down of the stack for those who look later, and when what came to hold.
#include <algorithm>

#include "config/model/enum_names.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace belfry::daemon {

using config::Condition;

namespace {

// Since when a level of it holds, as far as its record goes back; empty: it does not, or nobody knows.
Milestone level_since(const Node& node, Condition condition, std::string_view bell) {
  const Service& service = service_of(node);
  const Record& record = service.record();
  const auto completed = [&record] { return record.state == State::completed ? record.since : Milestone(); };
  switch (condition) {
    case Condition::started:
      return service.incarnation()->started.rung() ? service.incarnation()->started.at() : Milestone();
    case Condition::ready:
      if (service.ready_means_completed()) return completed();
      return record.state == State::ready ? record.since : Milestone();
    case Condition::completed: return completed();
    case Condition::stopped: return is_running(record.state) ? Milestone() : record.since;
    case Condition::own_bell: {
      if (!service.incarnation()->has_own(bell)) return {};
      const auto& rung = service.incarnation()->own(bell);
      return rung.rung() ? rung.at() : Milestone();
    }
  }
  return {};
}

// Of a gate that counts its members for this edge: since the one that made it enough.
Milestone held_since(const Edge& edge) {
  const Condition condition = edge.spec->condition;
  if (!edge.asks_members()) return level_since(*edge.on, condition, *edge.spec->bell);
  std::vector<TimePoint> since;
  for (const Edge& member : edge.on->edges()) {
    const Milestone one = condition == Condition::ready
                              ? held_since(member)
                              : level_since(*member.on, condition, *edge.spec->bell);
    if (one) since.push_back(*one);
  }
  const std::size_t needed = edge.members_needed();
  if (needed == 0 || since.size() < needed) return {};
  std::ranges::nth_element(since, since.begin() + static_cast<std::ptrdiff_t>(needed - 1));
  return since[needed - 1];
}

}  // namespace

void Supervisor::write_down(Service& service, State from, State to) {
  const Record& record = service.record();
  // A run is counted when it has its process, which comes after this.
  const std::uint64_t run = record.runs + (to == State::starting ? 1 : 0);
  const std::unique_ptr<KeptEvidence> evidence = to == State::ready ? service.take_evidence() : nullptr;
  JournalEvent event{.kind = EventKind::state,
                     .from = from,
                     .to = to,
                     .incarnation = static_cast<std::uint32_t>(run),
                     .service = service.name()};
  if (evidence) event.evidence = evidence->evidence;
  journal_.append(event, record.cause);
  timeline_.entered(service.index(), from, to, record.since, run);
  if (to == State::starting && timeline_.cares(service.index())) write_down_edges(service);
}

void Supervisor::write_down_edges(const Service& service) {
  if (service.edges().empty()) return;
  std::vector<Milestone> since;
  since.reserve(service.edges().size());
  for (const Edge& edge : service.edges()) since.push_back(held_since(edge));
  timeline_.edges_hold_since(service.index(), since);
}

void Supervisor::started(Service& service) {
  Evidence evidence;
  evidence.pid = service.main_pid();
  journal_.append({.kind = EventKind::bell,
                   .to = service.state(),
                   .incarnation = static_cast<std::uint32_t>(service.record().runs),
                   .service = service.name(),
                   .subject = "started",
                   .evidence = evidence});
  timeline_.started(service.index(), loop_.now());
}

void Supervisor::write_down_of_stack(std::string_view what, const Error& cause) {
  journal_.append({.kind = EventKind::stack, .subject = what}, cause);
}

void Supervisor::has_come_up() {
  timeline_.up(loop_.now());
  write_down_of_stack("up");
  up_.ring();
}

StartView Supervisor::start() const { return {.begun = timeline_.begun(), .up = timeline_.up()}; }

TimelineView Supervisor::timeline(std::size_t index) const {
  const Milestones& its = timeline_.of(index);
  TimelineView view{.wanted = its.wanted,
                    .waiting = its.waiting,
                    .starting = its.starting,
                    .started = its.started,
                    .ready = its.ready,
                    .stopped = its.stopped,
                    .incarnation = its.incarnation,
                    .attempts = its.attempts};
  const std::vector<Edge>& edges = services_[index]->edges();
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const config::Dependency& spec = *edges[i].spec;
    view.edges.push_back({.on = edges[i].on->name(),
                          .condition = spec.condition == Condition::own_bell
                                           ? std::string_view(*spec.bell)
                                           : config::name_of(spec.condition),
                          .required = spec.required,
                          .holds_since = its.edges == nullptr ? held_since(edges[i]) : its.edges[i]});
  }
  return view;
}

}  // namespace belfry::daemon
