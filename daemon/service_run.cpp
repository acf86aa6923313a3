// One run of a service: from the clone to the proof that nothing of it is left.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "daemon/service.hpp"

namespace belfry::daemon {

using config::ServiceType;

namespace {

Error failure(std::string message) { return Error(Error::Kind::failed, std::move(message)); }

std::string text_of(const std::vector<system::Survivor>& processes) {
  std::string who;
  for (const system::Survivor& process : processes) {
    who += (who.empty() ? "" : ", ") + std::to_string(process.pid) + " " + process.name;
    if (process.state == 'D') who += " (in uninterruptible sleep)";
  }
  return who;
}

}  // namespace

// What can be made before the bell is made before it; asked again at the bell, it has nothing left to do.
Result<void> Service::prepare() {
  if (spec_.command.empty() || launch_ != nullptr) return {};
  auto launch = std::make_unique<system::Launch>();
  if (auto ok = around_.provisions.prepare(*this, *launch); !ok) return ok;
  *marker_ = std::string(around_.stack_name) + "/" + spec_.name + "#" + std::to_string(record_.runs + 1);
  launch->set_marker(marker());
  launch_ = std::move(launch);
  return {};
}

void Service::open_run() {
  const TimePoint now = around_.loop.now();
  record_.exit.reset();
  record_.ready_at.reset();
  record_.asked_to_stop_at.reset();
  record_.stop_timeout.reset();
  record_.kill_by.reset();
  record_.end_by.reset();
  record_.failure = {};
  record_.truths = 0;
  record_.rung = 0;
  record_.leader = 0;
  record_.killed = false;
  record_.hung = false;
  record_.refused = false;
  record_.tree_gone = spec_.command.empty();
  record_.started_at = now;
  probe_error_ = {};
  for (Edge& edge : edges_) edge.lost_since.reset();
  forget_what_was_said();
}

// Everything but the clone, while there is time; what can never work is known before the bell.
void Service::prepare_ahead() {
  asked_to_prepare_ = false;
  if (record_.state != State::waiting) return;
  const Result<void> prepared = prepare();
  if (prepared || prepared.error().kind() != Error::Kind::failed) return;
  refusal_ = prepared.error();  // a socket that can't be bound, say
  attention_.notify();
}

bool Service::clone() {
  if (auto prepared = prepare(); !prepared) {
    if (prepared.error().kind() == Error::Kind::failed) {
      refuse_start(prepared.error());
      return false;
    }
    start_did_not_work(
        {.stage = system::SpawnStage::clone, .errnum = EAGAIN, .detail = prepared.error().text()});
    return false;
  }
  const auto pid = around_.processes.spawn(*launch_, *this);
  if (pid) record_.pid = record_.leader = *pid;
  around_.provisions.started(*this);
  launch_.reset();
  if (!pid) {
    start_did_not_work(pid.error());
    return false;
  }
  return true;
}

bool Service::begin_run() {
  if (!spec_.command.empty() && !clone()) return false;
  record_.has_run = true;
  if (++record_.runs > 1 && spec_.type != ServiceType::gate) ++record_.restarts;
  now_->started.ring();
  tell_dependents(true);
  readiness_ = watch_probes(spec_.ready, ProbeRole::ready);
  if (record_.failure && spec_.type == ServiceType::external) {
    refuse_start(record_.failure);  // asking again would change nothing
    return false;
  }
  if (own_bell_specs() != nullptr) watch_own_bells();
  if (spec_.extras && !spec_.extras->listen.empty())
    heard({config::Probe::Kind::listen});  // bound long since
  return true;
}

const std::vector<config::OwnBell>* Service::own_bell_specs() const {
  return spec_.extras == nullptr || spec_.extras->bells.empty() ? nullptr : &spec_.extras->bells;
}

void Service::watch_own_bells() {
  const probes::ProbeContext about{
      .service = spec_.name, .tree = tree(), .launch = this, .ear = around_.provisions.ear(*this)};
  OwnBellListener& listener = *this;
  own_bells_ = std::make_unique<OwnBells>(around_.loop, around_.probe_slots, *own_bell_specs(), listener,
                                          record_.started_at);
  if (auto ok = own_bells_->begin(around_.probes, about, around_.listener.random()); !ok)
    record_.failure = ok.error();
}

void Service::start_did_not_work(const system::SpawnError& error) {
  const Error cause =
      failure("cannot start " + std::string(name()) + ": " + error.text(spec_.command.front()));
  if (!error.transient()) return refuse_start(cause);
  record_.failure = cause;
  if (left_by_pre_start()) return leave_running(Event::live_failed, cause);
  record_.tree_gone = true;
  enter(Event::start_failed, cause);
}

// Then the end of the run is the stop's to prove, also of one that never came to its command.
bool Service::left_by_pre_start() const {
  return record_.state == State::starting && !record_.stuck && record_.leader != 0;
}

void Service::refuse_start(const Error& cause) {
  if (left_by_pre_start()) {
    record_.failure = cause;
    record_.refused = true;
    return leave_running(Event::live_failed, cause);
  }
  if (!record_.stuck) record_.tree_gone = true;
  const SharedIncarnation ended = now_;
  ended->end(cause);
  enter(Event::start_refused, cause);
  if (record_.stuck)
    ended->stopped.never(cause);
  else
    ended->stopped.ring();
  give_back();
}

std::unique_ptr<ProbeWatch> Service::watch_probes(const config::ProbeSet& set, ProbeRole role) {
  if (std::ranges::all_of(set.probes, [](const config::Probe& p) { return probes::is_event(p.kind); }))
    return nullptr;
  const probes::ProbeContext about{
      .service = spec_.name, .tree = tree(), .launch = this, .ear = around_.provisions.ear(*this)};
  WatchTerms terms{.role = role,
                   .started_at = role == ProbeRole::ready ? record_.started_at : around_.loop.now()};
  if (spec_.type == ServiceType::external) terms.recheck = std::chrono::seconds(10);
  ProbeListener& listener = *this;
  auto made = std::make_unique<ProbeWatch>(around_.loop, around_.probe_slots, listener, terms);
  if (auto ok = made->begin(set, around_.probes, about, around_.listener.random()); !ok) {
    record_.failure = ok.error();
    return nullptr;
  }
  return made;
}

bool Service::all_true() const {
  if (spec_.type == ServiceType::gate) return edges_hold();
  if (ready_means_completed() || takes_itself_back()) return false;
  return holds(spec_.ready, record_.truths);
}

bool Service::must_stop() const {
  // An external that is no longer there begins a new period; there is nothing to be orderly about.
  if (spec_.type == ServiceType::external && record_.state == State::ready && !all_true()) return true;
  return record_.intent != Intent::run && (!record_.in_order || !is_awaiting_others());
}

TimePoint Service::start_deadline() const {
  const auto timeout = spec_.type == ServiceType::external ? std::nullopt : ready_timeout();
  return timeout ? std::max(record_.started_at + *timeout, record_.extended_until) : TimePoint::max();
}

TimePoint Service::kill_deadline() const {
  const Duration timeout = record_.stop_timeout.value_or(spec_.stop.timeout);
  const TimePoint own = record_.asked_to_stop_at.value_or(record_.since) + timeout;
  return std::min(std::max(own, record_.extended_until), record_.kill_by.value_or(TimePoint::max()));
}

void Service::leave_running(Event why, Error cause) {
  if (record_.intent == Intent::run && spec_.type == ServiceType::external) record_.intent = Intent::again;
  record_.asked_to_stop_at = around_.loop.now();
  record_.extended_until = {};  // that was for the phase before
  enter(why, std::move(cause));
}

// The main process is asked; what it leaves behind is asked when it has gone, and killed when it stays.
void Service::ask_main_process() {
  if (record_.tree_gone) return;
  around_.processes.watch_tree(tree(), *this);
  signal_main(record_.watchdog_bit ? SIGABRT : spec_.stop.signal);
}

void Service::kill_tree() {
  if (!record_.killed) {
    record_.killed = true;
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(
        around_.loop.now() - record_.asked_to_stop_at.value_or(record_.since));
    const std::string who = text_of(around_.processes.survivors(tree()));
    around_.listener.notice(*this, "did not stop within " + std::to_string(waited.count()) + " ms: killed" +
                                       (who.empty() ? "" : " " + who));
  }
  around_.processes.signal(tree(), SIGKILL, system::Scope::tree);
}

// When all that is left sleeps uninterruptibly (a dead disk, a file system that does not answer), waiting for
// it would keep everything below it from stopping. It is named, and not forgotten: on_tree_empty comes when
// it goes.
bool Service::give_up_killing() {
  const auto left = around_.processes.survivors(tree());
  if (left.empty() || !std::ranges::all_of(left, [](const auto& p) { return p.state == 'D'; })) return false;
  record_.stuck = true;
  record_.intent = Intent::run;
  const Error cause = failure("cannot be killed: " + text_of(left) + "; see what it waits for in /proc/" +
                              std::to_string(left.front().pid) + "/stack");
  const SharedIncarnation ended = now_;
  ended->end(cause);
  enter(Event::unkillable, cause);
  ended->stopped.never(cause);
  return true;
}

Error Service::last_run_is_stuck() const {
  return failure("cannot start " + std::string(name()) + " beside its last run, which cannot be killed: " +
                 text_of(around_.processes.survivors(tree())));
}

// Also what was prepared for a run that did not come to its clone: it names descriptors that are closed now.
void Service::give_back() {
  launch_.reset();
  if (!record_.stuck) around_.provisions.release(*this);
}

Task<void> Service::end_probes(Context&) {
  const Error cause = Error::cancelled("the service stops");
  // Whoever stops must see its probes end, whatever else is cancelled: their way out takes one turn.
  Context patience(around_.loop);
  for (auto* watch : {&readiness_, &liveness_}) {
    if (*watch == nullptr) continue;
    (*watch)->end(cause);
    Result<void> joined = co_await (*watch)->joined(patience);
    if (!joined) around_.listener.notice(*this, joined.error().text());
    watch->reset();
  }
  if (own_bells_ == nullptr) co_return;
  own_bells_->end(cause);
  Result<void> joined = co_await own_bells_->joined(patience);
  if (!joined) around_.listener.notice(*this, joined.error().text());
  own_bells_.reset();
}

// Every bell has ended before `stopped` rings, and `stopped` rings when the state says so.
void Service::end_run() {
  if (!all_heard_) around_.provisions.drain(*this);
  const SharedIncarnation ended = now_;
  if (record_.asked_to_stop_at && record_.intent != Intent::run) {
    if (times_ == nullptr) times_ = std::make_unique<ServiceTimes>();
    times_->stop.observe(
        std::chrono::duration<double>(around_.loop.now() - *record_.asked_to_stop_at).count());
  }
  const Event next = verdict();
  if (next == Event::gone_completed && ready_means_completed()) ended->ready.ring();
  ended->end(record_.cause ? record_.cause : failure(std::string(name()) + " has stopped"));
  enter(next, record_.cause);
  ended->stopped.ring();
  if (record_.state == State::waiting || record_.state == State::backoff) {
    fresh_incarnation();
  } else {
    give_back();
  }
}

bool Service::exit_was_success() const {
  if (!record_.exit || record_.failure) return false;
  if (record_.exit->success()) return true;
  if (spec_.extras == nullptr || record_.exit->signaled) return false;
  return std::ranges::find(spec_.extras->success_exit_codes, record_.exit->value) !=
         spec_.extras->success_exit_codes.end();
}

Event Service::verdict() {
  const Intent intent = std::exchange(record_.intent, Intent::run);
  if (record_.exit) record_.last_run_succeeded = exit_was_success();
  if (intent == Intent::rest) return Event::gone_rest;
  if (intent == Intent::again) return Event::gone_again;
  // The time that it took to stop says nothing for it.
  const TimePoint left_at = record_.asked_to_stop_at.value_or(around_.loop.now());
  if (record_.ready_at && left_at - *record_.ready_at >= spec_.restart->reset_after)
    record_.history.attempts = 0;
  const bool success = exit_was_success();
  if (!success && !record_.failure) record_.failure = last_exit_error();
  record_.cause = success ? Error() : record_.failure;
  if (record_.refused) return Event::gone_failed;
  switch (after_exit(spec_, success, record_.ready_at.has_value())) {
    case AfterExit::completed: return Event::gone_completed;
    case AfterExit::failed:
      if (!record_.cause) record_.cause = last_exit_error();
      record_.last_run_succeeded = false;
      return Event::gone_failed;
    case AfterExit::again: break;
  }
  if (!record_.cause && !record_.ready_at) record_.cause = last_exit_error();
  if (limit_reached(record_.history, *spec_.restart, around_.loop.now())) {
    record_.cause =
        Error(Error::Kind::failed, "gave up after " + std::to_string(spec_.restart->limit) + " restarts",
              record_.cause);
    return Event::gone_failed;
  }
  ++(record_.watchdog_bit ? counters_->restarts_on_watchdog
     : record_.hung       ? counters_->restarts_on_liveness
                          : counters_->restarts_on_failure);
  return Event::gone_retry;
}

Error Service::last_exit_error() const {
  if (!record_.exit) return record_.failure;
  std::string text = std::string(name()) + " " + record_.exit->text();
  if (!record_.ready_at && !ready_means_completed()) text += " before it was ready";
  text += what_it_said_of_the_end();
  return failure(std::move(text));
}

void Service::enter(Event event, Error cause) {
  const State from = record_.state;
  const std::optional<State> to = next_state(from, event);
  if (!to) {
    const std::string what = "belfry: bug: service " + spec_.name + " got " + std::string(name_of(event)) +
                             " while " + std::string(name_of(from)) + "\n";
    std::fputs(what.c_str(), stderr);
    std::abort();
  }
  if (*to == from) {
    if (from == State::blocked && cause) record_.cause = std::move(cause);
    return;
  }
  const bool first_ready = *to == State::ready && !now_->ready.ended();
  record_.state = *to;
  record_.since = around_.loop.now();
  if (*to == State::ready)
    record_.cause = {};
  else if (cause)
    record_.cause = std::move(cause);
  if (first_ready && spec_.type != ServiceType::gate) {
    if (times_ == nullptr) times_ = std::make_unique<ServiceTimes>();
    times_->ready.observe(std::chrono::duration<double>(record_.since - record_.started_at).count());
  }
  if (*to == State::waiting && now_->stopped.ended()) fresh_incarnation();
  if (is_settled(*to) && !is_running(from)) settle_bells(record_.cause);
  if (*to == State::starting) record_.started_in = ++around_.moments;
  if (from == State::waiting) around_.start_slots.forget(attention_);
  if (from == State::starting && !spec_.command.empty()) around_.start_slots.give_back();
  if (is_running(from) && !is_running(*to)) {
    if (!around_.going_down)
      make_way();
    else if (!is_held())
      count_holding(false);
  }
  around_.listener.state_changed(*this, from, *to, event);
  tell_dependents(first_ready || event == Event::edges_hold);
}

// It never ran, and will not until something else happens: nobody may go on waiting for this incarnation.
void Service::settle_bells(const Error& cause) {
  const Error why = cause ? cause : failure(std::string(name()) + " was stopped");
  now_->end(why);
  now_->stopped.never(why);
  give_back();
}

void Service::fresh_incarnation() {
  now_ = std::make_shared<Incarnation>(around_.loop, record_.runs + 1, own_bell_specs());
}

system::TreeId Service::tree() const {
  // The leader keeps naming the group after it was reaped; the seam never signals a reaped leader itself.
  return {.leader = record_.leader,
          .marker = marker(),
          .log_pipe = around_.provisions.log_pipe(*this),
          .cgroup = around_.provisions.cgroup(*this)};
}

void Service::prepare(system::Launch& launch) const { around_.provisions.outfit(*this, launch); }

}  // namespace belfry::daemon
