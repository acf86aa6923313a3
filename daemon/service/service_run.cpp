// One run of a service: from what is prepared for it to the states it enters.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "daemon/service/service.hpp"
#include "system/descriptors.hpp"

namespace belfry::daemon {

using config::ServiceType;

namespace {

Error failure(std::string message) { return Error(Error::Kind::failed, std::move(message)); }

// What belfry may not do now it may not do in a second either: only a lack of something passes.
bool stays_so(const Error& error) {
  return error.kind() == Error::Kind::failed || error.errnum() == EPERM || error.errnum() == EACCES;
}

}  // namespace

// What can be made before the bell is made before it; asked again at the bell, it has nothing left to do.
Result<void> Service::prepare() {
  if (spec_.command.empty() || launch_ != nullptr) return {};
  auto launch = std::make_unique<system::Launch>();
  if (auto ok = runtime_.provisions.prepare(*this, *launch); !ok) return ok;
  *marker_ = std::string(runtime_.stack_name) + "/" + spec_.name + "#" + std::to_string(record_.runs + 1);
  launch->set_marker(marker());
  launch_ = std::move(launch);
  return {};
}

void Service::open_run() {
  const TimePoint now = runtime_.loop.now();
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
  record_.killed_by_command = false;
  record_.hung = false;
  record_.refused = false;
  record_.in_background = false;
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
  if (prepared || !stays_so(prepared.error())) return;
  refusal_ = prepared.error();  // a socket that can't be bound, say
  attention_.notify();
}

bool Service::clone() {
  if (auto prepared = prepare(); !prepared) {
    if (stays_so(prepared.error())) {
      refuse_start(prepared.error());
      return false;
    }
    runtime_.provisions.started(*this);  // so that who needs less can have it
    std::string why = prepared.error().text();
    if (prepared.error().errnum() == EMFILE) why += system::how_to_raise_the_limit;
    put_start_off(failure("cannot start " + std::string(name()) + ": " + why));
    return false;
  }
  const auto pid = runtime_.processes.spawn(*launch_, *this);
  if (pid) record_.pid = record_.leader = *pid;
  runtime_.provisions.started(*this);
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
  ++record_.runs;
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

void Service::start_did_not_work(const system::SpawnError& error) {
  const Error cause =
      failure("cannot start " + std::string(name()) + ": " + error.text(spec_.command.front()));
  error.transient() ? put_start_off(cause) : refuse_start(cause);
}

void Service::put_start_off(const Error& cause) {
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

bool Service::must_stop() const {
  // An external that is no longer there begins a new period; there is nothing to be orderly about.
  if (spec_.type == ServiceType::external && record_.state == State::ready && !all_true()) return true;
  return record_.intent != Intent::run && (!record_.in_order || !is_awaiting_others());
}

TimePoint Service::start_deadline() const {
  const auto timeout = spec_.type == ServiceType::external ? std::nullopt : ready_timeout();
  if (!timeout) return TimePoint::max();
  return std::max(moved_by_pauses(record_.started_at, *timeout, record_.paused_before_since),
                  record_.extended_until);
}

void Service::leave_running(Event why, Error cause) {
  if (record_.intent == Intent::run && spec_.type == ServiceType::external) record_.intent = Intent::again;
  record_.asked_to_stop_at = runtime_.loop.now();
  record_.extended_until = {};  // that was for the phase before
  enter(why, std::move(cause));
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
  record_.since = runtime_.loop.now();
  record_.paused_before_since = runtime_.loop.paused();
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
  if (*to == State::starting) record_.started_in = ++runtime_.moments;
  if (from == State::waiting) runtime_.start_slots.forget(attention_);
  if (from == State::starting && !spec_.command.empty()) runtime_.start_slots.give_back();
  if (is_running(from) && !is_running(*to)) {
    if (!runtime_.going_down)
      make_way();
    else if (!is_held())
      count_holding(false);
  }
  runtime_.listener.state_changed(*this, from, *to, event);
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
  now_ = std::make_shared<Incarnation>(runtime_.loop, record_.runs + 1, own_bell_specs());
}

system::TreeId Service::tree() const {
  // The leader keeps naming the group after it was reaped; the seam never signals a reaped leader itself.
  return {.leader = record_.leader,
          .marker = marker(),
          .log_pipe = runtime_.provisions.log_pipe(*this),
          .cgroup = runtime_.provisions.cgroup(*this)};
}

void Service::prepare(system::Launch& launch) const {
  runtime_.provisions.apply(*this, launch);
  launch.isolate = spec_.extras && spec_.extras->isolate;
}

}  // namespace belfry::daemon
