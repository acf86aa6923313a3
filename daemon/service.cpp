#include "daemon/service.hpp"

#include <algorithm>
#include <csignal>

#include "channels/select.hpp"
#include "channels/sleep.hpp"

namespace belfry::daemon {

namespace {

// From SIGKILL to the last look at who is still there. Nobody who can be killed takes as long, and it must
// fit between the end of shutdown.timeout (25 s) and what Kubernetes gives (30 s).
constexpr Duration sigkill_takes = std::chrono::seconds(2);

}  // namespace

Service::Service(Surroundings& around, const config::Service& spec, std::uint32_t index)
    : around_(around),
      spec_(spec),
      index_(index),
      attention_(around.loop, "service"),
      now_(std::make_shared<Incarnation>(around.loop, 1, own_bell_specs())) {
  record_.since = around.loop.now();
}

Service::~Service() {
  if (record_.pid != 0) around_.processes.disown(record_.pid);
  if (record_.hook != 0) around_.processes.disown(record_.hook);
  if (record_.main != 0) around_.processes.disown(record_.main);
  if (!record_.tree_gone && record_.leader != 0) around_.processes.unwatch_tree(*this);
}

Task<void> Service::live(Context& ctx) {
  while (!ctx.cancelled()) co_await next_chapter(ctx);
}

Task<void> Service::next_chapter(Context& ctx) {
  switch (record_.state) {
    case State::inactive:
    case State::completed:
    case State::failed: break;
    case State::waiting:
    case State::blocked: return wait_for_edges(ctx);
    case State::starting: return start(ctx);
    case State::ready:
    case State::unready: return run(ctx);
    case State::stopping: return stop(ctx);
    case State::backoff: return back_off(ctx);
  }
  return rest(ctx);
}

Task<void> Service::news(Context& ctx, Bell<>* bell, TimePoint deadline) {
  auto called = on(attention_);
  auto late = at(around_.loop, deadline);
  if (bell != nullptr && !bell->ended()) {
    auto rung = on(*bell);
    co_await select(ctx, rung, called, late);
  } else {
    co_await select(ctx, called, late);
  }
}

Task<void> Service::rest(Context& ctx) {
  while (!ctx.cancelled()) {
    if (std::exchange(record_.intent, Intent::run) == Intent::rest) {
      const State before = record_.state;
      enter(Event::stop_asked, record_.cause);
      if (record_.state != before) co_return;
      give_back();  // a start that was taken back
      tell_dependents(false);
    }
    if (record_.start_requested) {
      enter(Event::start_asked);
      co_return;
    }
    co_await news(ctx);
  }
}

// Thousands wait here, so what lives across the wait is little: the look is a function of its own, and the
// wait for a bell alone is what `news` does, without a frame of its own.
Task<void> Service::wait_for_edges(Context& ctx) {
  while (!ctx.cancelled()) {
    const std::optional<TimePoint> deadline = look_at_edges();
    if (!deadline) co_return;
    // Shared for as long as it is waited for: the dependency may be in its next run by then.
    SharedIncarnation awaited;
    Bell<>* bell = bell_to_wait_for(awaited);
    if (bell == nullptr || bell->ended() || *deadline != TimePoint::max()) {
      co_await news(ctx, bell, *deadline);
      continue;
    }
    auto rung = on(*bell);
    auto called = on(attention_);
    co_await select(ctx, rung, called);
  }
}

std::optional<TimePoint> Service::look_at_edges() {
  if (std::exchange(record_.intent, Intent::run) == Intent::rest) {
    enter(Event::stop_asked, record_.cause);
    return std::nullopt;
  }
  // Whoever asked for the start, or counts on it, looks at what became of it, also when nothing did.
  if (std::exchange(record_.start_requested, false)) tell_dependents(false);
  if (auto hopeless = hopeless_cause()) {
    enter(Event::blocked, *hopeless);  // also when it is blocked already: the cause may have changed
    return TimePoint::max();
  }
  if (record_.state == State::blocked) enter(Event::healed);
  if (edges_hold()) {
    if (spec_.command.empty() || around_.start_slots.take(attention_)) {
      enter(Event::edges_hold);
      return std::nullopt;
    }
  } else {
    around_.start_slots.forget(attention_);
  }
  if (refusal_) {
    enter(Event::start_refused, std::exchange(refusal_, {}));
    return std::nullopt;
  }
  prepare_if_next();
  const TimePoint deadline = edge_deadline();
  if (deadline > around_.loop.now()) return deadline;
  enter(Event::edge_timed_out, waited_too_long());
  return std::nullopt;
}

Task<void> Service::start(Context& ctx) {
  if (record_.stuck) {
    refuse_start(last_run_is_stuck());
    co_return;
  }
  open_run();
  if (has(Hook::pre_start)) {
    bool passed = prepare().has_value();  // if it can't be prepared, the start below says so
    const bool tried = passed;
    if (tried) passed = co_await run_hook(ctx, Hook::pre_start);
    if (tried && !passed) {
      hook_failed(Hook::pre_start);
      leave_running(must_stop() ? Event::stop_asked : Event::live_failed, record_.failure);
      co_return;
    }
  }
  if (!begin_run()) co_return;
  bool hook_due = has(Hook::post_start);
  while (!ctx.cancelled() && record_.state == State::starting) {
    const TimePoint loss_due = look_after_losses();
    const bool came_up = ready_means_completed() ? exit_was_success() : all_true();
    if (hook_due && came_up && !must_stop()) {
      hook_due = false;
      const bool passed = co_await run_hook(ctx, Hook::post_start);
      if (!passed) hook_failed(Hook::post_start);
      continue;
    }
    // Who said READY=1 and ended in the same turn was ready first.
    if (record_.exit && !all_true()) {
      leave_running(Event::exited, last_exit_error());
    } else if (must_stop()) {
      leave_running(record_.intent == Intent::rest ? Event::stop_asked : Event::restart_asked, record_.cause);
    } else if (record_.failure) {
      leave_running(Event::live_failed, record_.failure);
    } else if (all_true()) {
      record_.ready_at = around_.loop.now();
      enter(Event::became_ready);
      now_->ready.ring();
      // A service that takes long to come up is not one that hangs: `live` is asked from here on.
      if (spec_.live) liveness_ = watch_probes(*spec_.live, ProbeRole::live);
    } else if (start_deadline() <= around_.loop.now()) {
      const std::string why = probe_error_ ? ": " + probe_error_.text() : "";
      record_.failure = Error(Error::Kind::failed, std::string(name()) + " was not ready in time" + why);
      leave_running(Event::start_timed_out, record_.failure);
    } else if (const TimePoint due = std::min(start_deadline(), loss_due); due == TimePoint::max()) {
      co_await attention_.wait(ctx);
    } else {
      co_await news(ctx, nullptr, due);
    }
  }
}

Task<void> Service::run(Context& ctx) {
  while (!ctx.cancelled() && is_running(record_.state) && record_.state != State::stopping) {
    const TimePoint due = std::min(look_after_losses(), look_at_what_was_said());
    if (record_.exit) {
      leave_running(Event::exited, last_exit_error());
    } else if (must_stop()) {
      leave_running(record_.intent == Intent::rest ? Event::stop_asked : Event::restart_asked, record_.cause);
    } else if (record_.failure) {
      leave_running(Event::live_failed, record_.failure);
    } else if (record_.state == State::ready && !all_true() && spec_.type != config::ServiceType::gate) {
      enter(Event::became_unready, why_unready());
    } else if (record_.state == State::unready && all_true()) {
      enter(Event::became_ready);
    } else if (due == TimePoint::max()) {
      co_await attention_.wait(ctx);  // where a service spends its life: no timer, no second frame
    } else {
      co_await news(ctx, nullptr, due);
    }
  }
}

Task<void> Service::stop(Context& ctx) {
  if (has(Hook::pre_stop) && main_pid() != 0 && !record_.watchdog_bit) {
    co_await end_probes(ctx);
    const bool passed = co_await run_hook(ctx, Hook::pre_stop);
    if (!passed) hook_failed(Hook::pre_stop);
  }
  ask_main_process();
  co_await end_probes(ctx);
  bool rest_asked = false;
  bool hook_due = has(Hook::post_stop) && record_.leader != 0;
  while (!ctx.cancelled()) {
    if (record_.tree_gone) {
      if (!std::exchange(hook_due, false)) break;
      const bool passed = co_await run_hook(ctx, Hook::post_stop);
      if (!passed) hook_failed(Hook::post_stop);
      record_.tree_gone = false;  // it may have left somebody behind
      rest_asked = false;
      ask_main_process();
    } else if (main_pid() == 0 && !rest_asked) {
      rest_asked = true;
      co_await yield(around_.loop);  // whether anybody is left behind is known a turn after the exit
      if (record_.tree_gone) continue;
      all_heard_ = false;  // who outlives the main process may have something to say
      around_.processes.signal(tree(), SIGTERM, system::Scope::tree);
    } else if (const TimePoint deadline = kill_deadline(); deadline <= around_.loop.now()) {
      kill_tree();
      const TimePoint due = around_.loop.now() + sigkill_takes;
      co_await news(ctx, nullptr, due);
      if (!record_.tree_gone && due <= around_.loop.now() && give_up_killing()) co_return;
    } else {
      co_await news(ctx, nullptr, deadline);
    }
  }
  if (record_.tree_gone) end_run();
}

Task<void> Service::back_off(Context& ctx) {
  const TimePoint due =
      record_.since + next_back_off(record_.history, *spec_.restart, around_.listener.random());
  while (!ctx.cancelled()) {
    if (std::exchange(record_.intent, Intent::run) == Intent::rest) {
      enter(Event::stop_asked, record_.cause);
      co_return;
    }
    if (record_.start_requested) {
      enter(Event::start_asked);
      co_return;
    }
    if (due <= around_.loop.now()) {
      enter(Event::delay_over, record_.cause);
      co_return;
    }
    co_await news(ctx, nullptr, due);
  }
}

void Service::request_start(bool by_name) {
  record_.wanted = true;
  record_.stopped_by_command = false;
  record_.stopped_by_loss = false;
  if (is_running(record_.state)) {
    const bool ends_by_itself = record_.intent == Intent::run && record_.state == State::stopping;
    if (record_.intent == Intent::rest || (by_name && ends_by_itself)) record_.intent = Intent::again;
    if (by_name && ends_by_itself) tell_dependents(false);  // an announced run takes its levels back
    return;
  }
  if (is_settled(record_.state) && record_.state != State::blocked) record_.cause = {};  // of another time
  record_.history = {};  // whoever asks may have repaired what was wrong
  record_.intent = Intent::run;
  record_.start_requested = true;
  // A blocked one binds when it heals: until then clients are to be refused and not kept waiting.
  if (record_.state != State::blocked) around_.provisions.bind_sockets(*this);
  attention_.notify();
}

void Service::request_stop(const StopTerms& terms) {
  record_.intent = terms.intent;
  record_.asked_in = ++around_.moments;
  record_.in_order = terms.in_order;
  if (terms.intent == Intent::again && is_running(record_.state)) ++counters_->restarts_on_command;
  if (terms.by_command) record_.history = {};
  if (terms.intent == Intent::rest) {
    record_.stopped_by_command = terms.by_command;
    record_.wanted = false;
    record_.start_requested = false;
  }
  record_.cause = terms.cause;
  record_.stop_timeout = terms.timeout;
  record_.kill_by = terms.kill_by;
  record_.end_by = terms.end_by;
  attention_.notify();
  if (is_running(record_.state)) tell_dependents(false);  // an announced stop is a lost level
}

void Service::kill_now(const Error& cause) {
  record_.kill_by = record_.end_by = around_.loop.now();
  record_.stop_timeout = Duration::zero();
  record_.in_order = false;
  record_.start_requested = false;
  if (record_.intent == Intent::run) record_.cause = cause;
  record_.intent = Intent::rest;
  attention_.notify();
}

bool Service::kill_processes() {
  if (!is_running(record_.state) || spec_.command.empty()) return false;
  if (record_.hook != 0)
    around_.processes.signal({.leader = record_.hook, .marker = {}, .log_pipe = 0}, SIGKILL,
                             system::Scope::group);
  if (record_.leader != 0) around_.processes.signal(tree(), SIGKILL, system::Scope::tree);
  return true;
}

// A message counts in the run that is on its way to be ready; a final STOPPING is not taken back.
void Service::heard(const Heard& what) {
  if (!is_running(record_.state) || record_.state == State::stopping) return;
  for (std::uint32_t i = 0; i < spec_.ready.probes.size(); ++i) {
    if (what.is(spec_.ready.probes[i])) record_.truths |= 1U << i;
  }
  if (readiness_) readiness_->trigger();
  if (own_bells_) {
    own_bells_->trigger();
    own_bells_->heard(what);
  }
  attention_.notify();
}

void Service::never_heard(const config::Probe& which, const Error& why) {
  if (record_.state != State::starting) return;
  probe_error_ = why;
  const auto is_it = [&which](const config::Probe& probe) { return &probe == &which; };
  const bool counts = !spec_.ready.any && std::ranges::any_of(spec_.ready.probes, is_it);
  if (!counts || which.dialect != config::FdDialect::dinit) return;
  record_.failure = Error(Error::Kind::failed, std::string(name()) + " did not start", why);
  attention_.notify();
}

void Service::was_heard() {
  if (readiness_) readiness_->trigger();
  if (own_bells_) own_bells_->trigger();
}

void Service::on_exit(pid_t pid, system::ExitStatus status) {
  if (pid == record_.hook) {
    record_.hook = 0;
    record_.hook_exit = status;
    attention_.notify();
    return;
  }
  if (pid == record_.main) return main_ended(pid, status);
  around_.provisions.drain(*this);  // its last words count: READY=1 may have come just before
  all_heard_ = true;
  status.out_of_memory =
      status.signaled && status.value == SIGKILL && around_.provisions.ran_out_of_memory(*this);
  record_.pid = 0;
  // A daemon's first process may leave when another one has been named the main one (MAINPID=).
  if (record_.main == 0 && !record_.exit) record_.exit = status;
  attention_.notify();
}

void Service::on_tree_empty(pid_t) {
  record_.tree_gone = true;
  if (std::exchange(record_.stuck, false)) {
    give_back();
    around_.listener.notice(*this, "is gone at last, and can be started again");
    tell_dependents(false);
  }
  attention_.notify();
}

void Service::probe_changed(ProbeRole role, std::uint32_t index, bool up, const Error& why) {
  if (!up) probe_error_ = why;
  if (role == ProbeRole::ready) {
    if (up)
      record_.truths |= 1U << index;
    else
      record_.truths &= ~(1U << index);
  } else if (!up) {
    record_.failure = Error(Error::Kind::failed, std::string(name()) + " is not alive", why);
    record_.hung = true;
  }
  attention_.notify();
}

void Service::probe_tried(ProbeRole, std::uint32_t, const Result<void>& outcome) {
  ++(outcome ? counters_->probe_successes : counters_->probe_failures);
  if (!outcome) probe_error_ = outcome.error();
}

void Service::own_bell_true(std::uint32_t bell) {
  if (now_->started.rung() && !now_->stopped.ended()) record_.rung |= 1U << bell;
  now_->own(bell).ring();
  around_.listener.own_bell_rang(*this, bell);
  tell_dependents(true);
}

void Service::own_bell_tried(std::uint32_t, const Result<void>& outcome) {
  ++(outcome ? counters_->probe_successes : counters_->probe_failures);
}

}  // namespace belfry::daemon
