// A reload: from the stack that runs to the one that the file says now.
//
// First the stop phase, on the old graph: who cannot go on as it is, and whoever runs on top of it, stops in
// the usual order and is held back, so that nobody begins a run as the file said before. When the last of
// them rests, everything is exchanged in one turn. Then the start phase, on the new graph, is what always
// happens: everybody looks at its edges. A number, once given, is a service's for ever: logs, notify sockets,
// clients that wait and everything else that counts services need not be told.
#include <algorithm>
#include <utility>

#include "channels/spawn.hpp"
#include "daemon/service/description.hpp"
#include "daemon/supervisor/exchange_plan.hpp"
#include "daemon/supervisor/schedules.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace belfry::daemon {

namespace {

SharedSpec shared(config::Service&& spec) { return std::make_shared<const config::Service>(std::move(spec)); }

// Edges and outputs name others by their places in the file; here they are named by their numbers.
void renumber(config::Service& spec, const std::vector<std::uint32_t>& slots) {
  for (config::Dependency& edge : spec.depends_on) edge.target = slots[edge.target];
  if (!spec.extras) return;
  for (config::OutputReference& reference : spec.extras->references)
    reference.provider = slots[reference.provider];
}

// What is left of a service that is in no file any more.
SharedSpec rest_of(const config::Service& gone) {
  config::Service rest;
  rest.name = gone.name;
  rest.type = gone.type;
  rest.working_dir = gone.working_dir;
  rest.stop = gone.stop;
  return shared(std::move(rest));
}

OtherProbes other_probes(const config::ServiceChange& change) {
  OtherProbes other;
  for (const config::KeyChange& one : change.keys) {
    other.ready = other.ready || one.key.starts_with("ready.");
    other.live = other.live || one.key == "live" || one.key.starts_with("live.");
  }
  return other;
}

std::string words_for(const config::Difference& difference) {
  const auto part = [](std::size_t count, const char* what) {
    return count == 0 ? std::string() : std::to_string(count) + " " + what;
  };
  std::string text;
  for (const std::string& one :
       {part(difference.added.size(), "added"), part(difference.removed.size(), "removed"),
        part(difference.changed.size(), "changed"), part(difference.stack.size(), "of the stack changed")}) {
    if (!one.empty()) text.append(text.empty() ? "" : ", ").append(one);
  }
  return text;
}

}  // namespace

Result<void> Supervisor::admit(const NewStack& next) {
  const bool frees = !who_stops(next).all.empty();
  Result<void> all;
  for (const config::ServiceChange& change : next.difference.changed) {
    if (all) all = runtime_.resources.admit(shown_[change.before], next.stack.services[change.after], frees);
  }
  std::size_t slot = services_.size();
  for (const std::uint32_t added : next.difference.added) {
    if (all) all = runtime_.resources.admit(slot++, next.stack.services[added], frees);
  }
  if (!all) runtime_.resources.forget_admitted();
  return all;
}

Task<Result<Touched>> Supervisor::exchange(Context& ctx, NewStack next) {
  exchanging_ = true;
  const auto going = [&] {
    const std::vector<Service*> all = who_stops(next).all;
    return std::vector<Node*>(all.begin(), all.end());
  };
  const Result<void> given = co_await leave_of_other_hosts(ctx, going);
  if (!given) {
    exchanging_ = false;
    runtime_.resources.forget_admitted();
    co_return std::unexpected(given.error());
  }
  Touched touched = whom_it_touches(next);
  touched.starts.clear();
  const std::vector<Service*> stopping = begin_stops(next);
  Result<void> waited;
  for (Service* one : stopping) {
    if (waited) waited = co_await until_at_rest(ctx, *one);
  }
  if (waited && shutting_down_) waited = std::unexpected(Error::closed("the stack is shutting down"));
  if (!waited) {
    exchanging_ = false;
    runtime_.resources.forget_admitted();
    count_gates_as_drawn();
    let_all_go();
    co_return std::unexpected(waited.error());
  }
  std::vector<bool> had_to_stop(services_.size());
  for (const Service* one : stopping) had_to_stop[one->index()] = true;
  std::vector<std::string> comes_back;
  for (const std::uint32_t place : who_starts(next)) comes_back.push_back(next.stack.services[place].name);
  const std::vector<bool> wanted = wanted_in(services_of(next.stack), names_, {});
  swap(next);
  take_schedules(wanted);
  for (std::string& name : comes_back) {
    Service& service = *services_[*find(name)];
    // Who was asked to come back, and to rest meanwhile, rests.
    const bool is_back = service.index() < had_to_stop.size() && had_to_stop[service.index()];
    if (is_back && !service.record().wanted) continue;
    if (service.state() != State::waiting) service.request_start();
    touched.starts.push_back(std::move(name));
  }
  let_all_go();
  stop_who_depends_now();
  count_anew();
  const std::string words = words_for(next.difference);
  journal_.append({.kind = EventKind::stack, .subject = "reloaded", .cause = words});
  exchanging_ = false;
  look_at_essentials();
  look_whether_up();
  if (active_ == 0) loop_.post([this] { loop_.post([this] { end_when_nothing_can_run(); }); });
  touched.trouble = co_await roll_replaced(ctx);
  co_return touched;
}

std::vector<Service*> Supervisor::begin_stops(const NewStack& next) {
  const Stops stops = who_stops(next);
  count_gates_by(next);
  const Error cause(Error::Kind::cancelled, "the file has changed");
  for (const config::ServiceChange& change : next.difference.changed) {
    if (change.restarts() && !is_rolled(next, change)) services_[shown_[change.before]]->hold_back();
  }
  for (Service* gone : stops.for_good) {
    gone->hold_back();  // also from whoever asks for its start meanwhile
    if (is_running(gone->state())) continue;
    gone->request_stop({.intent = Intent::rest, .cause = cause, .by_command = false});
    count_health(*gone);
  }
  std::vector<Service*> waited_for;
  for (auto it = stops.all.rbegin(); it != stops.all.rend(); ++it) {
    Service& one = **it;
    const bool root = stops.is_root[one.index()];
    const bool rests = stops.is_for_good[one.index()] || one.record().intent == Intent::rest;
    StopTerms terms{.intent = rests ? Intent::rest : Intent::again, .cause = cause, .by_command = false};
    // A gate has nothing to stop: it goes at once, so that who counts its members counts those that stay.
    terms.in_order = root || one.spec().type != config::ServiceType::gate;
    one.hold_back();
    if (one.record().intent != Intent::rest) one.request_stop(terms);
    count_health(one);
    waited_for.push_back(&one);
  }
  for (Service* gone : stops.for_good) {
    if (!stops.is_stopped[gone->index()]) waited_for.push_back(gone);
  }
  return waited_for;
}

// Who comes back waits, held back; who rests has settled.
Task<Result<void>> Supervisor::until_at_rest(Context& ctx, Service& service) {
  Wakeup changed(loop_, "until at rest");
  StateWatch watch(changed);
  service.watch(watch);
  Result<void> told;
  while (told && !shutting_down_ && (is_running(service.state()) || service.record().intent == Intent::rest))
    told = co_await changed.wait(ctx);
  co_return told;
}

void Supervisor::let_all_go() {
  for (const auto& service : services_) service->let_go();
}

// No look at an edge comes between the first line and the last.
void Supervisor::swap(NewStack& next) {
  for (const config::ServiceChange& change : next.difference.changed) {
    Service& service = *services_[shown_[change.before]];
    if (is_rolled(next, change)) rolled_.push_back({&service, service.shared_spec(), service.incarnation()});
  }
  for (const std::uint32_t place : next.difference.removed) {
    Service& gone = *services_[shown_[place]];
    gone.retire(rest_of(gone.spec()));
    count_health(gone);
    if (!gone.record().stuck) runtime_.resources.forget(gone.index());
    timeline_.forget_edges(gone.index());
  }
  std::vector<std::uint32_t> slots = make_added(next);
  describe_changed(next, slots);
  put_in_order(slots);
  graph_.connect();
}

// By the places in the new file. Who was started by name has one already, and keeps it.
void Supervisor::take_schedules(const std::vector<bool>& wanted) {
  for (const auto& service : services_) {
    if (service->is_retired()) schedules_->let_go(*service);
  }
  for (std::size_t place = 0; place < shown_.size(); ++place) {
    Service& service = *services_[shown_[place]];
    const bool is_known = schedules_->has(service);
    if (!service.spec().enabled)
      schedules_->let_go(service);
    else if (wanted[place] || is_known)
      schedules_->take(service);
    if (!is_known && waits_for_its_time(service) && !service.spec().extras->health_ignore) service.expect();
  }
}

// The numbers of all services of the new file, by their places in it.
std::vector<std::uint32_t> Supervisor::make_added(NewStack& next) {
  std::vector<std::uint32_t> slots;
  auto fresh = static_cast<std::uint32_t>(services_.size());
  for (const config::Service& spec : next.stack.services) {
    const auto known = find(spec.name);
    slots.push_back(known ? static_cast<std::uint32_t>(*known) : fresh++);
  }
  for (const std::uint32_t place : next.difference.added) {
    renumber(next.stack.services[place], slots);
    const SharedSpec spec = shared(std::move(next.stack.services[place]));
    const std::uint32_t slot = slots[place];
    services_.push_back(std::make_unique<Service>(runtime_, *spec, slot));
    Service& made = *services_.back();
    made.adopt(spec);
    graph_.add(made, made.record());
    counted_unready_.push_back(false);
    timeline_.add();
    runtime_.resources.place(slot, *spec);
    spawn(lives_, made.name(), made.live(lives_context_));
  }
  return slots;
}

void Supervisor::describe_changed(NewStack& next, const std::vector<std::uint32_t>& slots) {
  for (const config::ServiceChange& change : next.difference.changed) {
    renumber(next.stack.services[change.after], slots);
    Service& service = *services_[slots[change.after]];
    const SharedSpec spec = shared(std::move(next.stack.services[change.after]));
    const bool runs = is_running(service.state());
    const bool is_rolled = std::ranges::find(rolled_, &service, &Rolled::service) != rolled_.end();
    service.adopt(spec, is_rolled ? OtherProbes{} : other_probes(change));
    if (!runs) {
      runtime_.resources.place(service.index(), *spec);
      service.take_sockets();
    }
    timeline_.forget_edges(service.index());
  }
}

void Supervisor::put_in_order(const std::vector<std::uint32_t>& slots) {
  shown_ = slots;
  by_name_ = shown_;
  std::ranges::sort(by_name_, {}, [this](std::uint32_t i) { return services_[i]->name(); });
  essentials_.clear();
  for (const std::uint32_t slot : shown_) {
    if (services_[slot]->spec().essential) essentials_.push_back(services_[slot].get());
  }
}

// Somebody else's command may have announced a stop that waits for dependents: by a new edge there are more.
void Supervisor::stop_who_depends_now() {
  std::vector<Node*> leaving;
  for (const auto& service : services_) {
    const Record& record = service->record();
    if (is_running(record.state) && record.state != State::stopping && record.in_order &&
        record.intent != Intent::run)
      leaving.push_back(service.get());
  }
  if (leaving.empty()) return;
  const Error cause(Error::Kind::cancelled, "what it depends on now is about to stop");
  for (Node* node : graph_.who_must_stop(leaving)) {
    Service& one = service_of(*node);
    if (one.record().intent != Intent::run || !is_running(one.state())) continue;
    one.request_stop({.intent = Intent::again,
                      .cause = cause,
                      .in_order = one.spec().type != config::ServiceType::gate,
                      .by_command = false});
  }
}

// Everybody looks at its edges, and what was counted by the old descriptions is counted again.
void Supervisor::count_anew() {
  active_ = 0;
  for (const auto& service : services_) {
    active_ += static_cast<std::size_t>(!service->spec().command.empty() && !is_settled(service->state()));
    count_health(*service);
    Node& node = *service;
    node.look_again();
    node.level_changed();
  }
}

Task<Result<std::string>> Supervisor::until_all_up(Context& ctx, std::vector<std::string> names) {
  std::string missing;
  for (const std::string& name : names) {
    const auto index = find(name);
    if (!index) continue;
    const Result<void> up = co_await until_up(ctx, *services_[*index]);
    if (up) continue;
    if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
    missing.append(missing.empty() ? "" : "; ").append(up.error().text());
  }
  co_return missing;
}

}  // namespace belfry::daemon
