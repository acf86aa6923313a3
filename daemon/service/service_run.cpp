// One run of a service: from what is prepared for it to the states it enters.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "config/model/duration.hpp"
#include "config/model/output_reference.hpp"
#include "daemon/service/bound_texts.hpp"
#include "daemon/service/service.hpp"
#include "system/descriptors.hpp"

namespace belfry::daemon {

using config::ServiceType;

namespace {

// A right that belfry lacks now it lacks in a second as well; a lack of descriptors or memory may pass.
bool stays_so(const Error& error) {
  return error.kind() == Error::Kind::failed || error.errnum() == EPERM || error.errnum() == EACCES;
}

}  // namespace

// What can be made before the bell is made before it; asked again at the bell, it has nothing left to do.
Result<void> Service::prepare() {
  renew_old_handle();
  if (auto ok = bind_outputs(); !ok) return ok;
  if (spec().command.empty() || launch_ != nullptr) return {};
  auto launch = std::make_unique<system::Launch>();
  launch->set_command(bound(spec().command));
  if (auto ok = resources().prepare(*launch, record_.state == State::waiting); !ok)
    return std::unexpected(shown(ok.error()));
  *marker_ = std::string(runtime_.stack_name) + "/" + spec().name + "#" + std::to_string(record_.runs + 1);
  launch->set_marker(marker());
  add_outputs_to(*launch);
  launch_ = std::move(launch);
  return {};
}

// Its probes end with the life at the latest.
void Service::open_run(Context& ctx) {
  record_.run = Run(spec(), runtime_.loop.now());
  ReadinessListener& listener = *this;
  if (bound_ != nullptr) bound_->forget_probes();
  const ProbeMeans& means = bound_ != nullptr ? bound_->means() : runtime_.probes;
  readiness_ = std::make_unique<Readiness>(ctx, means, spec(), description(), listener);
  said_that_outputs_changed_ = false;
  if (writes_outputs()) resources().forget_outputs();
  if (cares_about_loss()) lost_since_->clear();
}

// Everything but the clone, while there is time; what can never work is known before the bell.
void Service::prepare_ahead() {
  asked_to_prepare_ = false;
  if (record_.state != State::waiting || held_back_) return;
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
    resources().launched(0);  // so that who needs less can have it
    std::string why = prepared.error().text();
    if (prepared.error().errnum() == EMFILE) why += system::how_to_raise_the_limit;
    put_start_off(Error::failed("cannot start " + std::string(name()) + ": " + why));
    return false;
  }
  const auto pid = runtime_.processes.spawn(*launch_, *this);
  if (pid) record_.run.pid = record_.run.leader = *pid;
  resources().launched(record_.run.pid);
  launch_.reset();
  if (!pid) {
    const Error cause =
        Error::failed("cannot start " + std::string(name()) + ": " +
                      pid.error().text(config::with_references_written_out(spec().command.front())));
    pid.error().transient() ? put_start_off(cause) : refuse_start(cause);
    return false;
  }
  return true;
}

bool Service::begin_run() {
  if (!spec().command.empty() && !clone()) return false;
  if (auto bound = bind_outputs(); !bound) {
    put_start_off(Error::failed("cannot look at " + std::string(name()) + ": " + bound.error().text()));
    return false;
  }
  record_.has_run = true;
  ++record_.runs;
  now_->started.ring();
  runtime_.listener.started(*this);
  tell_dependents(true);
  if (auto watched = readiness_->watch(about_probes()); !watched) {
    record_.run.failure = watched.error();
    if (spec().type == ServiceType::external) {
      refuse_start(watched.error());  // asking again would change nothing
      return false;
    }
  }
  if (spec().extras && !spec().extras->listen.empty())
    heard({.kind = config::Probe::Kind::listen});  // bound long since
  return true;
}

probes::ProbeContext Service::about_probes() {
  return {.service = spec().name,
          .tree = tree(),
          .launch = is_gate() ? nullptr : &resources(),
          .monitor = resources_ ? resources_->listen_monitor() : nullptr,
          .began = record_.run.started_at,
          .publisher = this};
}

void Service::became_ready() {
  record_.run.ready_at = runtime_.loop.now();
  record_.run.said.ready_at(moment());
  record_.has_been_ready = true;
  fix_outputs(now_->has_rung_its_own());
  enter(Event::became_ready);
  now_->ready.ring();
  // A service that takes long to come up is not one that hangs: `live` is asked from here on.
  if (!spec().live) return;
  probes::ProbeContext about = about_probes();
  about.publisher = nullptr;
  if (auto watched = readiness_->watch_live(about); !watched) record_.run.failure = watched.error();
}

void Service::put_start_off(const Error& cause) {
  record_.run.failure = cause;
  if (left_by_pre_start()) return leave_running(Event::live_failed, cause);
  record_.run.tree_gone = true;
  enter(Event::start_failed, cause);
}

// Then the end of the run is the stop's to prove, also of one that never came to its command.
bool Service::left_by_pre_start() const {
  return record_.state == State::starting && !record_.stuck && record_.run.leader != 0;
}

void Service::refuse_start(const Error& cause) {
  if (left_by_pre_start()) {
    record_.run.failure = cause;
    record_.run.refused = true;
    return leave_running(Event::live_failed, cause);
  }
  if (!record_.stuck) record_.run.tree_gone = true;
  const SharedIncarnation ended = now_;
  ended->end(cause);
  enter(Event::start_refused, cause);
  if (record_.stuck)
    ended->stopped.never(cause);
  else
    ended->stopped.ring();
  give_back();
}

bool Service::all_true() const {
  if (is_gate()) return edges_hold();
  if (ready_means_completed() || record_.run.said.takes_itself_back()) return false;
  return readiness_->is_true();
}

TimePoint Service::start_deadline() const {
  const auto timeout = spec().type == ServiceType::external ? std::nullopt : ready_timeout();
  if (!timeout) return TimePoint::max();
  return std::max(due_after(record_.run.started_at, *timeout), record_.run.said.extended_until());
}

void Service::start_took_too_long() {
  const Error& last = readiness_->last_error();
  record_.run.failure =
      Error::failed(std::string(name()) + " was not ready in time" + (last ? ": " + last.text() : "") +
                    " (ready.timeout " + config::to_string(ready_timeout().value_or(Duration::zero())) + ")");
  leave_running(Event::start_timed_out, record_.run.failure);
}

void Service::leave_as_asked() {
  leave_running(record_.intent == Intent::rest ? Event::stop_asked : Event::restart_asked, record_.cause);
}

void Service::leave_running(Event why, Error cause) {
  if (record_.intent == Intent::run && spec().type == ServiceType::external) record_.intent = Intent::again;
  record_.run.asked_to_stop_at = runtime_.loop.now();
  record_.run.said.begin_phase();
  record_.run.left_by = why;
  enter(why, std::move(cause));
}

void Service::enter(Event event, Error cause) {
  const State from = record_.state;
  const std::optional<State> to = next_state(from, event);
  if (!to) {
    const std::string what = "belfry: bug: service " + spec().name + " got " + std::string(name_of(event)) +
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
  record_.entered_by = event;
  record_.since = runtime_.loop.now();
  record_.paused_before_since = runtime_.loop.paused();
  if (*to == State::ready)
    record_.cause = {};
  else if (cause)
    record_.cause = std::move(cause);
  if (first_ready && !is_gate()) {
    observed().ready.observe(std::chrono::duration<double>(record_.since - record_.run.started_at).count());
  }
  if (*to == State::waiting && now_->stopped.ended()) fresh_incarnation();
  if (is_settled(*to) && !is_running(from)) settle_bells(record_.cause);
  if (*to == State::starting) record_.started_in = ++runtime_.moments;
  if (from == State::waiting) runtime_.start_slots.forget(attention_);
  if (from == State::starting && !spec().command.empty()) runtime_.start_slots.give_back();
  if (is_running(from) && !is_running(*to)) runtime_.graph.has_gone(*this);
  runtime_.listener.state_changed(*this, from, *to);
  tell_dependents(first_ready || event == Event::edges_hold);
}

// It never ran, and will not until something else happens: nobody may go on waiting for this incarnation.
void Service::settle_bells(const Error& cause) {
  const Error why = cause ? cause : Error::failed(std::string(name()) + " was stopped");
  now_->end(why);
  now_->stopped.never(why);
  give_back();
}

void Service::fresh_incarnation() {
  const std::vector<config::OwnBell>* own = spec().extras == nullptr ? nullptr : &spec().extras->bells;
  now_ = std::make_shared<Incarnation>(runtime_.loop, record_.runs + 1, own);
}

system::TreeId Service::tree() const {
  const TreeTraces traces = resources_ ? resources_->traces() : TreeTraces{};
  // The leader keeps naming the group after it was reaped; the seam never signals a reaped leader itself.
  return {
      .leader = record_.run.leader, .marker = marker(), .log_pipe = traces.log_pipe, .cgroup = traces.cgroup};
}

ServiceResources& Service::resources() {
  if (resources_ == nullptr) {
    resources_ = runtime_.resources.open(ServiceRef(spec(), index(), *this));
    if (description() != nullptr) *handle_from_ = description();
  }
  return *resources_;
}

// Also what was prepared for a run that did not come to its clone: it names descriptors that are closed now.
void Service::give_back() {
  launch_.reset();
  if (record_.stuck || resources_ == nullptr) return;
  if (!resources_->release(record_.state == State::blocked)) return;
  drop_handle();
  left_handles_.clear();
  handle_is_old_ = false;
}

}  // namespace belfry::daemon
