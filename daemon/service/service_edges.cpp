// Edges and levels: what a service waits for, and what others see of it.
#include <algorithm>
#include <utility>

#include "daemon/service/service.hpp"

namespace belfry::daemon {

using config::Condition;
using config::OnLoss;
using config::ServiceType;

void Service::depend_on(Service& other, const config::Dependency& dependency) {
  const Edge& edge = edges_.emplace_back(other, dependency);
  other.dependents_.push_back(this);
  other.seen_through_ = other.seen_through_ || edge.asks_members();
  cares_about_loss_ = cares_about_loss_ || dependency.on_loss != OnLoss::ignore;
}

// A stop that has been announced is a level already lost: nobody may start on what is about to go.
bool Service::level(Condition condition, std::string_view bell) const {
  const bool stays = record_.intent == Intent::run;
  if (spec_.type == ServiceType::gate && condition != Condition::ready) {
    return stays && members_that_hold(condition, bell) >= members_needed();
  }
  const bool completed = record_.last_run_succeeded && (stays || !is_running(record_.state));
  const bool alive = stays && !record_.exit && is_running(record_.state) && record_.state != State::stopping;
  switch (condition) {
    case Condition::started: return alive && now_->started.rung();
    case Condition::ready:
      return ready_means_completed() ? completed : alive && record_.state == State::ready;
    case Condition::completed: return completed;
    case Condition::stopped: return record_.has_run && !is_running(record_.state) && !record_.stuck;
    // Rung in this run, which goes on or has done its work.
    case Condition::own_bell: return now_->own(bell).rung() && (record_.state == State::completed || alive);
  }
  return false;
}

bool Service::ready_means_completed() const {
  return spec_.type == ServiceType::oneshot && spec_.ready.empty();
}

bool Service::default_level() const {
  return level(spec_.type == ServiceType::oneshot ? Condition::completed : Condition::ready);
}

std::size_t Service::members_that_hold(Condition condition, std::string_view bell) const {
  const auto holds = [condition, bell](const Edge& e) {
    return condition == Condition::ready ? e.holds() : e.on->level(condition, bell);
  };
  return static_cast<std::size_t>(std::ranges::count_if(edges_, holds));
}

std::size_t Service::members_needed() const {
  return spec_.require.count == 0 ? edges_.size() : std::min<std::size_t>(spec_.require.count, edges_.size());
}

bool Service::edges_hold() const {
  if (spec_.type == ServiceType::gate) return members_that_hold() >= members_needed();
  return first_missing_edge() == nullptr;
}

bool Service::has_died_unnoticed() const {
  if (spec_.type == ServiceType::gate) return has_lost_members_unnoticed() || stands_on_dead();
  const pid_t process = main_pid();
  return process != 0 && !record_.exit && runtime_.processes.has_ended(process);
}

// A gate learns of its members by a wake-up, so its own level may be a moment old.
bool Service::has_lost_members_unnoticed() const {
  if (!level(Condition::ready)) return false;
  const auto stands = [](const Edge& member) {
    return member.holds() && (member.on->spec_.type == ServiceType::gate || !member.on->has_died_unnoticed());
  };
  return static_cast<std::size_t>(std::ranges::count_if(edges_, stands)) < members_needed();
}

// Each gate is looked at once: there may be exponentially many ways down.
bool Service::stands_on_dead() const {
  std::vector<const Service*> through{this};
  for (std::size_t i = 0; i < through.size(); ++i) {
    for (const Edge& edge : through[i]->edges_) {
      const Service& on = *edge.on;
      const bool gate = on.spec_.type == ServiceType::gate;
      if (!gate && i > 0) continue;  // a member, counted with its gate
      if (!is_running(on.record_.state) || edge.needs_no_process()) continue;
      if (gate ? on.has_lost_members_unnoticed() : on.has_died_unnoticed()) return true;
      if (gate && std::ranges::find(through, &on) == through.end()) through.push_back(&on);
    }
  }
  return false;
}

// When what it needs runs already, its turn may be the next one. To prepare those behind it would hold memory
// and descriptors for a start that is far away.
void Service::prepare_if_next() {
  if (launch_ != nullptr || asked_to_prepare_ || spec_.command.empty()) return;
  const auto runs = [](const Edge& e) { return is_running(e.on->state()) || e.lets_start(); };
  // Sockets are bound long before: clients may connect while it waits (idea 2).
  const bool binds = spec_.extras != nullptr && !spec_.extras->listen.empty();
  if (!binds && !std::ranges::all_of(edges_, runs)) return;
  asked_to_prepare_ = true;
  runtime_.preparations.ask(*this);
}

const Edge* Service::first_missing_edge() const {
  const auto it = std::ranges::find_if(edges_, [](const Edge& e) { return !e.lets_start(); });
  return it == edges_.end() ? nullptr : &*it;
}

// Of the first edge that is missing; the incarnation that owns it is put into `awaited`. A gate counts its
// members, so it waits to be told, and so does who is blocked.
Bell<>* Service::bell_to_wait_for(SharedIncarnation& awaited) const {
  if (spec_.type == ServiceType::gate || record_.state == State::blocked) return nullptr;
  const Edge* missing = first_missing_edge();
  if (missing == nullptr) return nullptr;
  awaited = missing->on->incarnation();
  return &awaited->bell_for(missing->spec->condition, *missing->spec->bell);
}

Error Service::waited_too_long() const {
  const Edge* missing = first_missing_edge();
  return Error(Error::Kind::failed, "cannot start " + std::string(name()) + ": waited too long for " +
                                        (missing != nullptr ? missing->text() : "its dependencies"));
}

std::optional<Error> Service::hopeless_cause() const {
  const Edge* first = nullptr;
  std::size_t hopeless = 0;
  for (const Edge& edge : edges_) {
    if (!edge.is_hopeless()) continue;
    if (first == nullptr) first = &edge;
    ++hopeless;
  }
  if (first == nullptr) return std::nullopt;
  if (spec_.type == ServiceType::gate && edges_.size() - hopeless >= members_needed()) return std::nullopt;
  const Service& root = *first->on;
  static constexpr std::string_view words[state_count] = {
      "was stopped", "", "", "", "", "", "", "has completed and does not run", "has failed", "is blocked"};
  std::string message = std::string(root.name()) + " " +
                        std::string(root.state() == State::inactive && !root.was_stopped()
                                        ? "was not started"
                                        : words[static_cast<std::size_t>(root.state())]);
  const Error& because = root.record_.cause;
  return Error(Error::Kind::failed, std::move(message), because ? std::optional(because) : std::nullopt);
}

// The first edge that is late is one too many, except for a gate that can spare some of its members.
TimePoint Service::edge_deadline() const {
  const std::size_t spare = spec_.type == ServiceType::gate ? edges_.size() - members_needed() : 0;
  std::vector<TimePoint> late;
  for (const Edge& edge : edges_) {
    if (edge.spec->timeout && !edge.lets_start())
      late.push_back(moved_by_pauses(record_.since, *edge.spec->timeout, record_.paused_before_since));
  }
  if (late.size() <= spare) return TimePoint::max();
  std::ranges::nth_element(late, late.begin() + static_cast<std::ptrdiff_t>(spare));
  return late[spare];
}

// A bell wakes those who wait for it; everything else (a level lost or regained, a root that settled or came
// back) is told to all who may care.
void Service::dependency_changed(bool bell_rang) {
  const bool gate = spec_.type == ServiceType::gate;
  const bool waits = record_.state == State::waiting || record_.state == State::blocked;
  if (waits ? (gate || !bell_rang) : (is_running(record_.state) && (gate || cares_about_loss_)))
    attention_.notify();
  if (record_.state == State::waiting) prepare_if_next();
}

// And those who ask for the members of a gate above. Each gate once: there may be exponentially many ways up.
void Service::tell_dependents(bool bell_rang) {
  std::vector<Service*> through;
  const auto tell = [&through](const Service& news_of, bool rang) {
    for (Service* dependent : news_of.dependents_) {
      dependent->dependency_changed(rang);
      if (dependent->seen_through_ && std::ranges::find(through, dependent) == through.end())
        through.push_back(dependent);
    }
    news_of.tell_watchers();
  };
  tell(*this, bell_rang);
  for (std::size_t i = 0; i < through.size(); ++i) tell(*through[i], false);
}

void Service::tell_watchers() const {
  if (!watchers_ || watchers_->empty()) return;
  for (StateWatch* watch = &watchers_->front(); watch != nullptr; watch = watchers_->after(*watch))
    watch->tell();
}

// For a running service: acts on edges whose level is lost for longer than `loss_after`; returns when to look
// again.
TimePoint Service::look_after_losses() {
  TimePoint due = TimePoint::max();
  if (record_.intent != Intent::run) return due;
  if (spec_.type == ServiceType::gate && !edges_hold()) {
    record_.intent = Intent::again;
    record_.in_order = false;
    record_.cause = Error(Error::Kind::failed, "too few of its members hold");
    return due;
  }
  if (!cares_about_loss_) return due;
  const TimePoint now = runtime_.loop.now();
  for (Edge& edge : edges_) {
    if (edge.spec->on_loss == OnLoss::ignore || edge.cannot_be_lost()) continue;
    // What was never there is not lost; what is lost stays so until it is back, though it may not be
    // required.
    if (edge.holds() || (!edge.lost_since && edge.lets_start())) {
      edge.lost_since.reset();
      continue;
    }
    if (!edge.lost_since) edge.lost_since = now;
    const TimePoint acts_at = saturating_add(*edge.lost_since, edge.spec->loss_after);
    if (edge.spec->loss_after > Duration::zero() && acts_at > runtime_.loop.horizon()) {
      due = std::min(due, acts_at);
      continue;
    }
    const bool restart = edge.spec->on_loss == OnLoss::restart;
    record_.intent = restart ? Intent::again : Intent::rest;
    record_.stopped_by_loss = !restart;
    record_.in_order = false;
    record_.cause = Error(Error::Kind::failed, "lost " + edge.text());
    if (restart) ++counters_->restarts_on_loss;
    runtime_.listener.notice(*this, (restart ? "restarts: " : "stops: ") + record_.cause.text());
    tell_dependents(false);  // a stop that is on its way is a lost level, also while a hook still ends
    break;
  }
  return due;
}

// Gates and externals have nothing to stop: they are transparent to the order of stops.
bool Service::is_transparent() const {
  return spec_.type == ServiceType::gate || spec_.type == ServiceType::external;
}

// Whether somebody runs on top of it who ran when it was asked to stop. Who has started since did so because
// its edges hold without it.
bool Service::is_awaiting_others() const {
  return runtime_.going_down ? is_held() : has_on_top(record_.asked_in);
}

// Each gate is looked through once: there may be exponentially many ways up. It has nothing to stop itself,
// and of those above it nobody is waited for who was not asked: they can do with its other members.
bool Service::has_on_top(std::uint64_t before) const {
  std::vector<const Service*> through{this};
  for (std::size_t i = 0; i < through.size(); ++i) {
    const bool counts_members = through[i]->spec_.type == ServiceType::gate;
    for (const Service* d : through[i]->dependents_) {
      if (d->is_done_with(*through[i])) continue;
      const bool gate = d->spec_.type == ServiceType::gate;
      const bool stays = d->record_.intent == Intent::run && d->state() != State::stopping;
      if (!gate && counts_members && stays) continue;
      if (!gate && is_running(d->state()) && d->record_.started_in < before) return true;
      if (d->is_transparent() && std::ranges::find(through, d) == through.end()) through.push_back(d);
    }
  }
  return false;
}

bool Service::is_done_with(const Service& other) const {
  return std::ranges::all_of(edges_, [&other](const Edge& e) { return e.on != &other || e.is_done_with(); });
}

// It does not run any more: whoever waits below looks again.
void Service::make_way() {
  std::vector<Service*> through{this};
  for (std::size_t i = 0; i < through.size(); ++i) {
    for (const Edge& edge : through[i]->edges_) {
      Service* on = edge.on;
      if (on->record_.intent != Intent::run) on->attention_.notify();
      if (on->is_transparent() && std::ranges::find(through, on) == through.end()) through.push_back(on);
    }
  }
}

// When everything goes, what has ended holds as well: who needs a database by way of a migration that was
// done long ago still needs the database. Counted, because it is asked as often as there are edges.
void Service::count_holding(bool holds) {
  for (Edge& edge : edges_) {
    Service& on = *edge.on;
    if (holds ? ++on.holders_ != 1 : --on.holders_ != 0) continue;
    if (!is_running(on.record_.state)) on.count_holding(holds);
    if (!holds) on.attention_.notify();
  }
}

std::vector<std::string> Service::waiting_for() const {
  std::vector<std::string> missing;
  if (record_.state != State::waiting && record_.state != State::blocked) return missing;
  for (const Edge& edge : edges_) {
    if (!edge.lets_start()) missing.push_back(edge.text());
  }
  if (missing.empty() && record_.state == State::waiting && runtime_.start_slots.full())
    missing.emplace_back("one of " + std::to_string(runtime_.start_slots.used()) + " starting services");
  return missing;
}

std::string Service::last_error() const {
  // What keeps a starting service from being ready is news; why it starts, or what kept a ready one, is
  // history.
  const bool asks = record_.state == State::starting || record_.state == State::unready;
  if (probe_error_ && asks) return probe_error_.text();
  return record_.cause ? record_.cause.text() : missing_news();
}

}  // namespace belfry::daemon
