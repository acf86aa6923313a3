// The end of a run: who is asked, who is killed, what became of it, and the proof that nothing of it is left.
#include <algorithm>
#include <csignal>

#include "config/model/duration.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

namespace {

// From SIGKILL to the last look at who is still there. Nobody who can be killed takes as long, and it must
// fit between the end of shutdown.timeout (25 s) and what Kubernetes gives (30 s).
constexpr Duration sigkill_takes = std::chrono::seconds(2);
// As long as that when there is time, for a crowd on a busy machine, or one that goes on forking.
constexpr Duration killing_takes = std::chrono::seconds(10);

bool is_refused(const system::Survivor& process) { return process.refused != 0; }

}  // namespace

TimePoint Service::kill_deadline() const {
  const Duration timeout = record_.run.stop_timeout.value_or(spec().stop.timeout);
  const TimePoint own = due_after(record_.run.asked_to_stop_at.value_or(record_.since), timeout);
  return std::min(std::max(own, record_.run.said.extended_until()),
                  record_.run.kill_by.value_or(TimePoint::max()));
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

// Which of the limits it was, and what it had to stop for.
std::string Service::why_killed() const {
  const Duration own = record_.run.stop_timeout.value_or(spec().stop.timeout);
  const TimePoint by_itself = saturating_add(record_.run.asked_to_stop_at.value_or(record_.since), own);
  const bool by_the_stack =
      record_.run.kill_by && *record_.run.kill_by < std::max(by_itself, record_.run.said.extended_until());
  std::string why = own == Duration::zero() ? "at once"
                    : by_the_stack          ? "its share of shutdown.timeout"
                                            : "stop.timeout " + config::to_string(own);
  if (record_.cause) why += "; it had to stop: " + record_.cause.text();
  return why;
}

// False: nobody of it can be reached by any signal.
bool Service::kill_tree() {
  const bool first = !std::exchange(record_.run.killed, true);
  const auto left = first ? survivors() : std::vector<system::Survivor>();
  const bool refused = !left.empty() && std::ranges::all_of(left, is_refused);
  if (first) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(
        runtime_.loop.now() - record_.run.asked_to_stop_at.value_or(record_.since));
    runtime_.listener.notice(*this, "did not stop within " + std::to_string(waited.count()) + " ms: " +
                                        (refused ? "cannot kill" : "killed") + (left.empty() ? "" : " ") +
                                        text_of(left) + " (" + why_killed() + ")");
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
  record_.run.kill_by = record_.run.end_by = runtime_.loop.now();
  record_.run.stop_timeout = Duration::zero();
  record_.in_order = false;
  record_.start_requested = false;
  if (record_.intent == Intent::run) record_.cause = cause;
  record_.intent = Intent::rest;
  attention_.notify();
}

// At the end of each time that is waited for: what SIGKILL takes, and the budget of a shutdown.
TimePoint Service::kill_again_at(TimePoint killed_at) const {
  const TimePoint now = runtime_.loop.now();
  const TimePoint first = killed_at + sigkill_takes;
  const TimePoint next = first > now ? first : now + sigkill_takes;
  const TimePoint over =
      record_.run.end_by ? saturating_add(*record_.run.end_by, sigkill_takes) : TimePoint::max();
  return over > now ? std::min(next, over) : next;
}

// When all that is left cannot be killed (it sleeps uninterruptibly, on a dead disk or a file system that
// does not answer, or the kernel does not let belfry signal it), waiting for it would keep everything below
// it from stopping. Nor is anything else waited for beyond the end of the shutdown's budget. It is named, and
// not forgotten: on_tree_empty comes when it goes.
bool Service::give_up_killing(TimePoint killed_at) {
  const TimePoint now = runtime_.loop.now();
  const bool budget_is_over = record_.run.end_by && saturating_add(*record_.run.end_by, sigkill_takes) <= now;
  const auto left = survivors();
  const auto is_lost = [](const system::Survivor& p) { return p.refused != 0 || p.state == 'D'; };
  const bool none_can_be_asked = !left.empty() && std::ranges::all_of(left, is_refused);
  const bool none_will_go =
      !left.empty() && std::ranges::all_of(left, is_lost) && killed_at + sigkill_takes <= now;
  if (!none_can_be_asked && !none_will_go && !budget_is_over && now < killed_at + killing_takes) return false;
  record_.stuck = true;
  record_.intent = Intent::run;
  std::string what = left.empty() ? "somebody of it is left, and cannot be seen" : text_of(left);
  if (std::ranges::any_of(left, [](const auto& p) { return p.state == 'D'; }))
    what += "; see what it waits for in /proc/" + std::to_string(left.front().pid) + "/stack";
  const Error cause = Error::failed("cannot be killed: " + what);
  const SharedIncarnation ended = now_;
  ended->end(cause);
  enter(Event::unkillable, cause);
  ended->stopped.never(cause);
  return true;
}

// What outlives the main process may have something to say. Who ends by itself may have left it running on
// purpose, and is told what becomes of it.
void Service::ask_what_it_left() {
  all_heard_ = false;
  const bool by_itself = record_.intent == Intent::run && record_.run.exit;
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
  status.out_of_memory = status.signaled && status.value == SIGKILL && resources().ran_out_of_memory();
  record_.run.pid = 0;
  // A daemon's first process may leave when another one has been named the main one (MAINPID=).
  if (record_.run.main == 0 && !record_.run.exit && !goes_on_in_background(status)) it_ended(status);
  attention_.notify();
}

// Its levels are lost from here on, also while a hook still has to end before the state says so.
void Service::it_ended(system::ExitStatus status) {
  record_.run.exit = status;
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
  if (!all_heard_ && resources_) resources_->drain();
  const SharedIncarnation ended = now_;
  if (record_.run.asked_to_stop_at && record_.intent != Intent::run) {
    if (times_ == nullptr) times_ = std::make_unique<ServiceTimes>();
    times_->stop.observe(
        std::chrono::duration<double>(runtime_.loop.now() - *record_.run.asked_to_stop_at).count());
  }
  const Event next = verdict();
  if (next == Event::gone_completed && ready_means_completed()) ended->ready.ring();
  ended->end(record_.cause ? record_.cause : Error::failed(std::string(name()) + " has stopped"));
  enter(next, record_.cause);
  ended->stopped.ring();
  if (record_.state == State::waiting || record_.state == State::backoff) {
    fresh_incarnation();
  } else {
    give_back();
  }
}

bool Service::exit_was_success() const {
  if (!record_.run.exit || record_.run.failure) return false;
  if (record_.run.exit->success()) return true;
  if (spec().extras == nullptr || record_.run.exit->signaled) return false;
  return std::ranges::find(spec().extras->success_exit_codes, record_.run.exit->value) !=
         spec().extras->success_exit_codes.end();
}

Event Service::verdict() {
  const Intent intent = std::exchange(record_.intent, Intent::run);
  if (record_.run.exit) record_.last_run_succeeded = exit_was_success();
  if (intent == Intent::rest) return Event::gone_rest;
  if (intent == Intent::again) return Event::gone_again;
  // The time that it took to stop says nothing for it.
  const TimePoint left_at = record_.run.asked_to_stop_at.value_or(runtime_.loop.now());
  if (record_.run.ready_at && left_at - *record_.run.ready_at >= spec().restart->reset_after)
    record_.history.attempts = 0;
  const bool success = exit_was_success();
  if (!success && !record_.run.failure) record_.run.failure = last_exit_error();
  record_.cause = success ? Error() : record_.run.failure;
  if (record_.run.refused) return Event::gone_failed;
  switch (after_exit(spec(), success, record_.run.ready_at.has_value())) {
    case AfterExit::completed: return Event::gone_completed;
    case AfterExit::failed:
      if (!record_.cause) record_.cause = last_exit_error();
      record_.last_run_succeeded = false;
      return Event::gone_failed;
    case AfterExit::again: break;
  }
  if (!record_.cause && !record_.run.ready_at) record_.cause = last_exit_error();
  if (limit_reached(record_.history, *spec().restart, runtime_.loop.now())) {
    record_.cause =
        Error(Error::Kind::failed, "gave up after " + std::to_string(spec().restart->limit) + " restarts",
              record_.cause);
    return Event::gone_failed;
  }
  ++(record_.run.watchdog_expired ? counters_->restarts_on_watchdog
     : record_.run.hung           ? counters_->restarts_on_liveness
                                  : counters_->restarts_on_failure);
  return Event::gone_retry;
}

Error Service::last_exit_error() const {
  if (!record_.run.exit) return record_.run.failure;
  std::string text = std::string(name()) + " " + record_.run.exit->text();
  if (record_.run.killed_by_command && record_.run.exit->signaled) text += ", as `belfry kill` asked";
  if (!record_.run.ready_at && !ready_means_completed()) text += " before it was ready";
  text += record_.run.said.of_the_end();
  return Error::failed(std::move(text));
}

}  // namespace belfry::daemon
