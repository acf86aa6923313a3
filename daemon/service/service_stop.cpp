// The end of a run: who is asked, who is killed, what became of it, and the proof that nothing of it is left.
#include <algorithm>
#include <csignal>

#include "config/model/duration.hpp"
#include "daemon/service/announcer.hpp"
#include "daemon/service/run_outcome.hpp"
#include "daemon/service/service.hpp"
#include "daemon/service/stop_rules.hpp"

namespace belfry::daemon {

// Of other hosts: as long as its process is well and nobody is in a hurry.
bool Service::may_take_leave() const {
  return runtime_.announcer != nullptr && spec().extras != nullptr && spec().extras->publish &&
         record_.intent != Intent::run && has_main_process() && !record_.run.failure &&
         record_.run.kill_by.value_or(TimePoint::max()) > runtime_.loop.horizon();
}

// From the moment in which its level is lost, whatever has to happen before its process is asked.
void Service::take_back() {
  if (runtime_.announcer == nullptr || spec().extras == nullptr || !spec().extras->publish) return;
  was_told_ = was_told_ || runtime_.announcer->is_told_of(*this);
  (void)runtime_.announcer->withdraw(*this);
}

// Nobody is sent to it any more from here on. Those who were get a moment, and its own time to stop begins
// after it. Where etcd does not answer, the lease will tell them.
Task<void> Service::withdraw(Context& ctx) {
  constexpr Duration patience_with_etcd = std::chrono::seconds(1);
  const bool may_be_used = std::exchange(was_told_, false) || runtime_.announcer->is_told_of(*this);
  const std::shared_ptr<Bell<>> gone = runtime_.announcer->withdraw(*this);
  const TimePoint began = runtime_.loop.now();
  const TimePoint too_late = began + patience_with_etcd;
  while (!gone->ended() && too_late > runtime_.loop.horizon() && may_take_leave() && !ctx.cancelled())
    co_await news(ctx, gone.get(), too_late);
  if (!may_be_used) co_return;
  const TimePoint noticed = saturating_add(runtime_.loop.now(), runtime_.announcer->notice());
  while (noticed > runtime_.loop.horizon() && may_take_leave() && !ctx.cancelled())
    co_await news(ctx, nullptr, noticed);
  record_.run.asked_to_stop_at = runtime_.loop.now();
}

// The main process is asked; what it leaves behind is asked when it has gone, and killed when it stays.
void Service::ask_main_process() {
  if (record_.run.tree_gone) return;
  runtime_.processes.watch_tree(tree(), *this);
  const int signo = record_.run.watchdog_expired ? SIGABRT : spec().stop.signal;
  if (record_.run.in_background && main_pid() == 0)
    runtime_.processes.signal(tree(), signo, system::Scope::tree);
  else
    signal_main(signo);
}

// False: nobody of it can be reached by any signal.
bool Service::kill_tree() {
  const bool first = !std::exchange(record_.run.killed, true);
  const auto left = first ? survivors() : std::vector<system::Survivor>();
  const bool refused = !left.empty() && std::ranges::all_of(left, is_out_of_reach);
  if (first) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(
        runtime_.loop.now() - record_.run.asked_to_stop_at.value_or(record_.since));
    runtime_.listener.notice(*this, "did not stop within " + std::to_string(waited.count()) + " ms: " +
                                        (refused ? "cannot kill" : "killed") + (left.empty() ? "" : " ") +
                                        text_of(left) + " (" + why_killed(record_, spec()) + ")");
  }
  runtime_.processes.signal(tree(), SIGKILL, system::Scope::tree);
  return !refused;
}

bool Service::kill_processes() {
  if (!is_running(record_.state) || spec().command.empty()) return false;
  record_.run.killed_by_command = true;
  if (hook_) hook_->kill();
  if (record_.run.leader != 0) runtime_.processes.signal(tree(), SIGKILL, system::Scope::tree);
  return true;
}

void Service::kill_now(const Error& cause) {
  if (has_ended_for_good()) return;
  record_.run.kill_by = record_.run.end_by = runtime_.loop.now();
  record_.run.stop_timeout = Duration::zero();
  record_.in_order = false;
  record_.start_requested = false;
  if (record_.intent == Intent::run) record_.cause = cause;
  record_.intent = Intent::rest;
  attention_.notify();
}

// Named, and not forgotten: on_tree_empty comes when it goes.
bool Service::give_up_killing(TimePoint killed_at) {
  const auto left = survivors();
  if (!is_beyond_killing(record_.run, left, killed_at, runtime_.loop.now())) return false;
  be_stuck(Error::failed("cannot be killed: " + text_of_stuck(left)));
  return true;
}

void Service::be_stuck(const Error& cause) {
  record_.stuck = true;
  record_.intent = Intent::run;
  const SharedIncarnation ended = now_;
  ended->end(cause);
  enter(Event::unkillable, cause);
  ended->stopped.never(cause);
}

// What outlives the main process may have something to say. Who ends by itself may have left it running on
// purpose, and is told what becomes of it.
void Service::ask_what_it_left() {
  all_heard_ = false;
  // Of one that has gone to the background where it may not, its failure names them.
  const bool by_itself = record_.intent == Intent::run && record_.run.exit && !record_.run.refused;
  if (const std::string left = by_itself ? text_of(survivors()) : std::string(); !left.empty())
    runtime_.listener.notice(*this, "ended; killed what it left running: " + left);
  runtime_.processes.signal(tree(), SIGTERM, system::Scope::tree);
}

Error Service::last_run_is_stuck() const {
  return Error::failed("cannot start " + std::string(name()) +
                       " beside its last run, which cannot be killed: " + text_of(survivors()));
}

void Service::on_exit(pid_t pid, system::ExitStatus status) {
  if (pid == record_.run.main) return main_ended(pid, status);
  resources().drain();  // its last words count: READY=1 may have come just before
  all_heard_ = true;
  take_facts_of_end(pid, status);
  record_.run.pid = 0;
  // A daemon's first process may leave when another one has been named the main one (MAINPID=).
  if (record_.run.main == 0 && !record_.run.exit && !goes_on_in_background(status)) it_ended(status);
  attention_.notify();
}

// Its levels are lost from here on, also while a hook still has to end before the state says so.
void Service::it_ended(system::ExitStatus status) {
  record_.run.exit = status;
  take_back();
  if (record_.intent == Intent::run && record_.state != State::stopping) tell_dependents(false);
}

void Service::on_tree_empty(pid_t) {
  background_is_gone();
  record_.run.tree_gone = true;
  if (std::exchange(record_.stuck, false)) {
    give_back();
    runtime_.listener.notice(*this, "is gone at last, and can be started again");
    tell_dependents(false);
  }
  attention_.notify();
}

// Whoever stops must see its probes end, whatever else is cancelled: their way out takes one turn.
Task<void> Service::end_probes() {
  Context patience(runtime_.loop);
  const Result<void> ended = co_await readiness_->end(patience);
  if (!ended) runtime_.listener.notice(*this, ended.error().text());
}

// Every bell has ended before `stopped` rings, and `stopped` rings when the state says so.
void Service::end_run() {
  const SharedIncarnation ended = now_;
  if (record_.run.asked_to_stop_at && record_.intent != Intent::run) {
    observed().stop.observe(
        std::chrono::duration<double>(runtime_.loop.now() - *record_.run.asked_to_stop_at).count());
  }
  keep_account();
  const Event next = verdict();
  if (next == Event::gone_completed && ready_means_completed()) {
    fix_outputs(true);
    ended->ready.ring();
  }
  ended->end(record_.cause ? record_.cause : Error::failed(std::string(name()) + " has stopped"));
  if (next != Event::gone_completed) ended->outputs.reset();  // they were true as long as it ran
  enter(next, record_.cause);
  ended->stopped.ring();
  if (record_.state == State::waiting || record_.state == State::backoff) {
    fresh_incarnation();
  } else {
    give_back();
  }
}

Event Service::verdict() {
  const Intent intent = std::exchange(record_.intent, Intent::run);
  if (record_.run.exit) record_.last_run_succeeded = exit_was_success(record_.run, spec());
  if (intent == Intent::rest) return Event::gone_rest;
  if (intent == Intent::again) return Event::gone_again;
  // The time that it took to stop says nothing for it.
  const TimePoint left_at = record_.run.asked_to_stop_at.value_or(runtime_.loop.now());
  if (record_.run.ready_at && left_at - *record_.run.ready_at >= spec().restart->reset_after)
    record_.history.attempts = 0;
  const bool success = exit_was_success(record_.run, spec());
  if (!success && !record_.run.failure) record_.run.failure = last_exit_error(record_, spec());
  record_.cause = success ? Error() : record_.run.failure;
  if (record_.run.refused) return Event::gone_failed;
  switch (after_exit(spec(), success, record_.run.ready_at.has_value())) {
    case AfterExit::completed: return Event::gone_completed;
    case AfterExit::failed:
      if (!record_.cause) record_.cause = last_exit_error(record_, spec());
      record_.last_run_succeeded = false;
      return Event::gone_failed;
    case AfterExit::again: break;
  }
  if (!record_.cause && !record_.run.ready_at) record_.cause = last_exit_error(record_, spec());
  if (limit_reached(record_.history, *spec().restart, runtime_.loop.now())) {
    record_.cause =
        Error(Error::Kind::failed, "gave up after " + std::to_string(spec().restart->limit) + " restarts",
              record_.cause);
    record_.run.gave_up = true;
    return Event::gone_failed;
  }
  ++(record_.run.watchdog_expired ? counters_->restarts_on_watchdog
     : record_.run.hung           ? counters_->restarts_on_liveness
                                  : counters_->restarts_on_failure);
  return Event::gone_retry;
}

}  // namespace belfry::daemon
