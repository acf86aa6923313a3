// What a service waits for, and what it does when a level is lost.
#include <algorithm>
#include <utility>

#include "channels/sleep.hpp"
#include "daemon/service/bound_texts.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

using config::Condition;
using config::OnLoss;

namespace {

Error waited_too_long(const Node& node) {
  const Edge* missing = node.first_missing_edge();
  return Error::failed("cannot start " + std::string(node.name()) + ": waited too long for " +
                       (missing != nullptr ? missing->text() : "its dependencies"));
}

std::optional<Error> hopeless_cause(const Node& node) {
  const Edge* hopeless = node.hopeless_edge();
  if (hopeless == nullptr) return std::nullopt;
  const Service& root = service_of(*hopeless->on);
  static constexpr std::string_view words[state_count] = {
      "was stopped", "", "", "", "", "", "", "has completed and does not run", "has failed", "is blocked"};
  std::string message = std::string(root.name()) + " " +
                        std::string(root.state() == State::inactive && !root.was_stopped()
                                        ? "was not started"
                                        : words[static_cast<std::size_t>(root.state())]);
  const Error& because = root.record().cause;
  return Error(Error::Kind::failed, std::move(message), because ? std::optional(because) : std::nullopt);
}

// The first edge that is late is one too many, except for a gate that can spare some of its members.
TimePoint edge_deadline(const Node& node, const Moment& since, const Moment& now) {
  const std::size_t spare = node.is_gate() ? node.edges().size() - node.members_needed() : 0;
  std::vector<TimePoint> late;
  for (const Edge& edge : node.edges()) {
    if (edge.spec->timeout && !edge.lets_start()) late.push_back(since.plus(*edge.spec->timeout, now));
  }
  if (late.size() <= spare) return TimePoint::max();
  std::ranges::nth_element(late, late.begin() + static_cast<std::ptrdiff_t>(spare));
  return late[spare];
}

}  // namespace

bool Service::own_level(Condition condition, std::string_view bell) const {
  const Run& run = record_.run;
  const bool stays = record_.intent == Intent::run;
  const bool completed = record_.last_run_succeeded && (stays || !is_running(record_.state));
  const bool alive = stays && !run.exit && is_running(record_.state) && record_.state != State::stopping;
  switch (condition) {
    case Condition::started: return alive && now_->started.rung();
    case Condition::ready:
      return ready_means_completed() ? completed : alive && record_.state == State::ready;
    case Condition::completed: return completed;
    case Condition::stopped: return record_.has_run && !is_running(record_.state) && !record_.stuck;
    // Rung in this run, which goes on or has done its work.
    case Condition::own_bell:
      return now_->has_own(bell) && now_->own(bell).rung() && (record_.state == State::completed || alive);
  }
  return false;
}

TimePoint Service::known_as_of() const {
  return is_remote() && readiness_ ? readiness_->known_as_of() : TimePoint::max();
}

void Service::look_afresh() {
  if (readiness_) readiness_->look_afresh();
}

// Nobody starts on what was so before all of his edges came to hold, where another host may have changed it
// since; the wait itself began earlier.
bool Service::knows_its_edges() const {
  return runtime_.graph.known_before(*this, edges_hold_since_).empty();
}

void Service::ask_others() {
  for (Node* remote : runtime_.graph.known_before(*this, edges_hold_since_)) remote->look_afresh();
}

std::vector<const Service*> Service::awaited_news() const {
  std::vector<const Service*> all;
  if (record_.state != State::waiting || !edges_hold()) return all;
  for (const Node* remote : runtime_.graph.known_before(*this, edges_hold_since_))
    all.push_back(&service_of(*remote));
  return all;
}

bool Service::process_has_died() const {
  const pid_t process = main_pid();
  return process != 0 && !record_.run.exit && runtime_.processes.has_ended(process);
}

// Whoever was found dead is told of in the coming turn, or when its shim has said so, which may be stopped
// itself.
Task<void> Service::until_deaths_are_told(Context& ctx) {
  co_await yield_to_all(runtime_.loop);
  Duration pause = std::chrono::milliseconds(1);
  while (!ctx.cancelled() && record_.intent == Intent::run && edges_hold() &&
         runtime_.graph.stands_on_dead(*this)) {
    const TimePoint due = runtime_.loop.now() + pause;
    co_await news(ctx, nullptr, due);
    pause = std::min(pause * 2, longest_between_looks);
  }
}

std::optional<TimePoint> Service::look_at_edges() {
  if (std::exchange(record_.intent, Intent::run) == Intent::rest) {
    enter(Event::stop_asked, record_.cause);
    return std::nullopt;
  }
  // Whoever asked for the start, or counts on it, looks at what became of it, also when nothing did.
  if (std::exchange(record_.start_requested, false)) tell_dependents(false);
  if (held_back_) {
    edges_hold_since_ = TimePoint::max();
    runtime_.start_slots.forget(attention_);
    return TimePoint::max();
  }
  if (auto hopeless = hopeless_cause(*this)) {
    enter(Event::blocked, *hopeless);  // also when it is blocked already: the cause may have changed
    return TimePoint::max();
  }
  if (record_.state == State::blocked) enter(Event::healed);
  const bool seems_to_hold = edges_hold();
  if (!seems_to_hold)
    edges_hold_since_ = TimePoint::max();
  else
    edges_hold_since_ = std::max(std::min(edges_hold_since_, runtime_.loop.now()), record_.since);
  const bool knows_them = !seems_to_hold || knows_its_edges();
  if (!knows_them) ask_others();
  // Everybody looks again when the exchange has been made.
  const bool holds = seems_to_hold && knows_them && !runtime_.graph.stands_on_counted(*this);
  if (!holds) runtime_.start_slots.forget(attention_);
  const bool starts_nobody = spec().command.empty();
  if (holds && (starts_nobody || runtime_.start_slots.has_time_for(attention_))) {
    // So that only the clone comes between this look and the start; what keeps it from that the start says.
    [[maybe_unused]] const Result<void> prepared = record_.stuck ? Result<void>() : prepare();
    if (runtime_.graph.stands_on_dead(*this)) return somebody_has_died;
    if (starts_nobody || runtime_.start_slots.take(attention_)) {
      enter(Event::edges_hold);
      return std::nullopt;
    }
  }
  if (refusal_) {
    enter(Event::start_refused, std::exchange(refusal_, {}));
    return std::nullopt;
  }
  prepare_if_next();
  const TimePoint deadline =
      edge_deadline(*this, {.at = record_.since, .paused = record_.paused_before_since}, moment());
  if (deadline > runtime_.loop.horizon()) return deadline;
  enter(Event::edge_timed_out, waited_too_long(*this));
  return std::nullopt;
}

// When what it needs runs already, its turn may be the next one. To prepare those behind it would hold memory
// and descriptors for a start that is far away.
void Service::prepare_if_next() {
  if (launch_ != nullptr || asked_to_prepare_ || held_back_ || spec().command.empty()) return;
  if (uses_outputs()) return;  // its words are not known yet
  const auto runs = [](const Edge& e) { return is_running(e.on->state()) || e.lets_start(); };
  // Sockets are bound long before: clients may connect while it waits (idea 2).
  const bool binds = spec().extras != nullptr && !spec().extras->listen.empty();
  if (!binds && !std::ranges::all_of(edges(), runs)) return;
  asked_to_prepare_ = true;
  runtime_.preparations.ask(*this);
}

// A bell wakes those who wait for it; everything else (a level lost or regained, a root that settled or came
// back) is told to all who may care.
void Service::dependency_changed(bool bell_rang) {
  const bool gate = is_gate();
  const bool waits = record_.state == State::waiting || record_.state == State::blocked;
  if (waits ? (gate || !bell_rang) : (is_running(record_.state) && (gate || cares_about_loss() || bound_)))
    attention_.notify();
  if (record_.state == State::waiting) prepare_if_next();
}

// For a running service: acts on edges whose level is lost for longer than `loss_after`; returns when to look
// again.
TimePoint Service::look_after_losses() {
  TimePoint due = TimePoint::max();
  if (record_.intent != Intent::run) return due;
  take_new_edges();
  if (is_gate() && !edges_hold()) {
    record_.intent = Intent::again;
    record_.in_order = false;
    record_.cause = Error::failed("too few of its members hold");
    return due;
  }
  say_that_outputs_changed();
  // A gate counts its members, and that is all: what one of them loses is no loss while enough hold.
  if (is_gate() || !cares_about_loss()) return due;
  lost_since_->resize(edges().size());
  for (std::size_t i = 0; i < edges().size(); ++i) {
    const Edge& edge = edges()[i];
    OptionalMoment& lost_since = (*lost_since_)[i];
    if (edge.spec->on_loss == OnLoss::ignore) continue;
    // What it was told is not true any more: then it does not help that the level is back, or is for ever.
    const BoundOutput* changed = changed_output(i);
    if (changed == nullptr && edge.cannot_be_lost()) continue;
    // What was never there is not lost; what is lost stays so until it is back, though it may not be
    // required.
    if (changed == nullptr && (edge.holds() || (!lost_since && (edge.lets_start() || edge.awaits_new())))) {
      lost_since.reset();
      continue;
    }
    if (!lost_since) lost_since = runtime_.loop.now();
    const TimePoint acts_at = saturating_add(*lost_since, edge.spec->loss_after);
    if (edge.spec->loss_after > Duration::zero() && acts_at > runtime_.loop.horizon()) {
      due = std::min(due, acts_at);
      continue;
    }
    const bool restart = edge.spec->on_loss == OnLoss::restart;
    record_.intent = restart ? Intent::again : Intent::rest;
    record_.stopped_by_loss = !restart;
    record_.in_order = false;
    record_.cause =
        Error::failed(changed == nullptr ? "lost " + edge.text()
                                         : changed->reference->service + " has published another " +
                                               changed->reference->key);
    if (restart) ++counters_->restarts_on_loss;
    runtime_.listener.notice(*this, (restart ? "restarts: " : "stops: ") + record_.cause.text());
    tell_dependents(false);  // a stop that is on its way is a lost level, also while a hook still ends
    break;
  }
  return due;
}

bool Service::must_stop() const {
  // An external that is no longer there begins a new period; there is nothing to be orderly about.
  if (spec().type == config::ServiceType::external && record_.state == State::ready && !all_true())
    return true;
  if (record_.intent == Intent::run) return false;
  return !record_.in_order || !runtime_.graph.is_awaiting_others(*this, record_.asked_in);
}

void Service::level_changed() {
  if (!watchers_ || watchers_->empty()) return;
  for (StateWatch* watch = &watchers_->front(); watch != nullptr; watch = watchers_->after(*watch))
    watch->tell();
}

}  // namespace belfry::daemon
