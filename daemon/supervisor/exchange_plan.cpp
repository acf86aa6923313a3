#include "daemon/supervisor/exchange_plan.hpp"

#include "daemon/supervisor/schedules.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace belfry::daemon {

namespace {

bool is_tried_again(State state) { return state == State::failed || state == State::backoff; }

bool starts_later(const config::Service& spec) {
  const config::Schedule* schedule = schedule_of(spec);
  return schedule != nullptr && !schedule->at_start;
}

// How many of the gate's members stay, and how many of them it takes then.
struct GateAfter {
  Node* gate;
  std::uint32_t members, needed;
};

// Empty where none stays: then it is another gate.
std::optional<GateAfter> after_change(Node& gate, const config::Service& next) {
  const auto stays = [&next](const Edge& member) {
    return std::ranges::find(next.depends_on, member.on->name(), &config::Dependency::service) !=
           next.depends_on.end();
  };
  const auto members = static_cast<std::uint32_t>(std::ranges::count_if(gate.edges(), stays));
  if (members == 0) return std::nullopt;
  const std::uint32_t needed = next.require.count == 0 ? members : std::min(next.require.count, members);
  return GateAfter{.gate = &gate, .members = members, .needed = needed};
}

// What its last run has completed is not what it is for now.
bool has_other_work(const Service& service, const config::Service& next) {
  return service.state() == State::completed && service.record().wanted && service.spec().type != next.type;
}

}  // namespace

std::vector<const config::Service*> services_of(const config::Stack& stack) {
  std::vector<const config::Service*> all;
  all.reserve(stack.services.size());
  for (const config::Service& one : stack.services) all.push_back(&one);
  return all;
}

std::vector<bool> wanted_in(const std::vector<const config::Service*>& services,
                            const std::vector<std::string>& names,
                            const std::unordered_set<std::string_view>& started) {
  std::unordered_map<std::string_view, std::uint32_t> places;
  std::vector<std::uint32_t> found;
  std::vector<bool> wanted(services.size());
  for (std::uint32_t i = 0; i < services.size(); ++i) {
    places.emplace(services[i]->name, i);
    const bool is_named = names.empty() || std::ranges::find(names, services[i]->name) != names.end();
    if (!(services[i]->enabled && is_named) && !started.contains(services[i]->name)) continue;
    wanted[i] = true;
    found.push_back(i);
  }
  for (std::size_t next = 0; next < found.size(); ++next) {
    for (const config::Dependency& edge : services[found[next]]->depends_on) {
      const auto on = places.find(edge.service);
      if (!edge.required || on == places.end() || wanted[on->second]) continue;
      wanted[on->second] = true;
      found.push_back(on->second);
    }
  }
  return wanted;
}

std::vector<const config::Service*> Supervisor::specs() const {
  std::vector<const config::Service*> all;
  all.reserve(shown_.size());
  for (const std::uint32_t slot : shown_) all.push_back(&services_[slot]->spec());
  return all;
}

// A gate that holds, and whose members go, is counted by those that stay: whoever runs on it goes on, and
// nobody starts on it before the exchange.
void Supervisor::count_gates_by(const NewStack& next) const {
  for (const config::ServiceChange& change : next.difference.changed) {
    Service& gate = *services_[shown_[change.before]];
    const config::Service& described = next.stack.services[change.after];
    if (!gate.is_gate() || described.type != config::ServiceType::gate) continue;
    if (!is_running(gate.state())) continue;
    if (const auto after = after_change(gate, described))
      DependencyGraph::count_by(*after->gate, after->members, after->needed);
  }
}

void Supervisor::count_gates_as_drawn() const {
  for (const auto& service : services_) DependencyGraph::count_by(*service, 0, 0);
}

// By gates as they are counted then; nobody looks at one meanwhile.
Supervisor::Stops Supervisor::who_stops(const NewStack& next) const {
  count_gates_by(next);
  Stops stops = who_stops_by_graph(next);
  count_gates_as_drawn();
  return stops;
}

Supervisor::Stops Supervisor::who_stops_by_graph(const NewStack& next) const {
  Stops stops;
  stops.is_root.resize(services_.size());
  stops.is_for_good.resize(services_.size());
  stops.is_stopped.resize(services_.size());
  std::vector<Node*> roots;
  const auto add_root = [&](Service& service) {
    if (!is_running(service.state())) return;
    stops.is_root[service.index()] = true;
    roots.push_back(&service);
  };
  const auto add_for_good = [&](Service& service) {
    stops.is_for_good[service.index()] = true;
    stops.for_good.push_back(&service);
  };
  for (const std::uint32_t place : next.difference.removed) {
    Service& gone = *services_[shown_[place]];
    add_for_good(gone);
    add_root(gone);
  }
  for (const config::ServiceChange& change : next.difference.changed) {
    Service& service = *services_[shown_[change.before]];
    const bool is_disabled = service.spec().enabled && !next.stack.services[change.after].enabled;
    if (is_disabled) add_for_good(service);
    if (is_disabled || (change.restarts() && !is_rolled(next, change))) add_root(service);
  }
  if (roots.empty()) return stops;
  for (Node* node : graph_.who_must_stop(roots)) {
    stops.all.push_back(&service_of(*node));
    stops.is_stopped[node->index()] = true;
  }
  return stops;
}

// Places in the new file: who is new and wanted, who is wanted as never before, whose change may have
// repaired what was wrong, or has made a daemon of what has completed. Not who runs, or has done its work, or
// was stopped by somebody.
std::vector<std::uint32_t> Supervisor::who_starts(const NewStack& next) const {
  const std::vector<const config::Service*> before = specs();
  const Stops stops = who_stops(next);
  std::unordered_set<std::string_view> started;
  for (const std::uint32_t slot : shown_) {
    if (services_[slot]->record().wanted && !stops.is_for_good[slot])
      started.emplace(services_[slot]->name());
  }
  const std::vector<bool> wanted_before = wanted_in(before, names_, started);
  const std::vector<bool> wanted = wanted_in(services_of(next.stack), names_, started);
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::uint32_t i = 0; i < before.size(); ++i) places.emplace(before[i]->name, i);
  std::vector<bool> is_changed(next.stack.services.size());
  for (const config::ServiceChange& change : next.difference.changed) is_changed[change.after] = true;

  std::vector<std::uint32_t> starts;
  for (std::uint32_t i = 0; i < next.stack.services.size(); ++i) {
    const auto known = places.find(next.stack.services[i].name);
    const bool is_later = starts_later(next.stack.services[i]);
    if (known == places.end()) {
      if (wanted[i] && !is_later) starts.push_back(i);
      continue;
    }
    const Service& service = *services_[shown_[known->second]];
    const Record& record = service.record();
    if (stops.is_for_good[service.index()]) continue;
    const bool comes_back = stops.is_stopped[service.index()] ||
                            (service.is_held_back() && record.wanted && record.state == State::waiting);
    const bool was_later = starts_later(service.spec());
    const bool is_new_to_it = wanted[i] && !is_later && (!wanted_before[known->second] || was_later) &&
                              record.state == State::inactive && !service.was_stopped();
    const bool is_tried =
        is_changed[i] && is_tried_again(record.state) && !(is_later && is_settled(record.state));
    const bool is_another = !is_later && has_other_work(service, next.stack.services[i]);
    if (comes_back || is_new_to_it || is_tried || is_another) starts.push_back(i);
  }
  return starts;
}

Touched Supervisor::whom_it_touches(const NewStack& next) const {
  Touched touched;
  const Stops stops = who_stops(next);
  for (auto it = stops.all.rbegin(); it != stops.all.rend(); ++it) touched.stops.emplace_back((*it)->name());
  for (const std::uint32_t place : who_starts(next))
    touched.starts.push_back(next.stack.services[place].name);
  for (const config::ServiceChange& change : next.difference.changed) {
    const bool is_stopped = stops.is_stopped[shown_[change.before]];
    if (!is_stopped && is_rolled(next, change)) touched.rolls.push_back(change.name);
  }
  return touched;
}

}  // namespace belfry::daemon
