#include "daemon/service/service.hpp"

#include <algorithm>
#include <csignal>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "daemon/service/bound_texts.hpp"
#include "daemon/service/run_outcome.hpp"
#include "daemon/service/stop_rules.hpp"

namespace belfry::daemon {

namespace {

// Of the first edge that is missing; the incarnation that owns it is put into `awaited`. A gate counts its
// members, so it waits to be told, and so does who is blocked.
Bell<>* bell_to_wait_for(const Node& node, SharedIncarnation& awaited) {
  if (node.is_gate() || node.state() == State::blocked) return nullptr;
  const Edge* missing = node.first_missing_edge();
  if (missing == nullptr) return nullptr;
  awaited = service_of(*missing->on).incarnation();
  return &awaited->bell_for(missing->spec->condition, *missing->spec->bell);
}

}  // namespace

Service::Service(ServiceRuntime& runtime, const config::Service& spec, std::uint32_t index)
    : Node(spec, index), runtime_(runtime), attention_(runtime.loop, "service") {
  fresh_incarnation();
  record_.since = runtime.loop.now();
}

Service::~Service() {
  Run& run = record_.run;
  if (run.pid != 0) runtime_.processes.disown(run.pid);
  if (run.main != 0) runtime_.processes.unfollow(run.main);
  if (!run.tree_gone && run.leader != 0) runtime_.processes.unwatch_tree(*this);
}

Task<void> Service::live(Context& ctx) {
  for (int breaks = 0; !ctx.cancelled() && !has_ended_for_good();) {
    try {
      co_await next_chapter(ctx);
      continue;
    } catch (...) {
      broke(error_from_exception(name(), std::current_exception()), ++breaks);
    }
    co_await yield(runtime_.loop);  // others first: who breaks again and again must not keep them out
  }
}

void Service::kill_whatever_happens() noexcept {
  try {
    runtime_.processes.signal(tree(), SIGKILL, system::Scope::tree);
  } catch (...) {
    return;  // it is what breaks, perhaps; the service is left as stuck
  }
}

// A bug, and not the service's fault: what runs of it is stopped all the same. Where that breaks too, it is
// killed and left.
void Service::broke(const Error& error, int times) {
  if (times == 1) runtime_.loop.unread_error("live on with service", name(), "its life broke", error);
  switch (record_.state) {
    case State::starting:
    case State::ready:
    case State::unready: return leave_running(Event::live_failed, error);
    case State::waiting:
    case State::blocked:
    case State::backoff: return enter(Event::stop_asked, error);
    case State::stopping:
      if (times < 3) return;
      kill_whatever_happens();
      return be_stuck(error);
    case State::inactive:
    case State::completed:
    case State::failed: return;
  }
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
    case State::unready: return stay_up(ctx);
    case State::stopping: return stop(ctx);
    case State::backoff: return back_off(ctx);
  }
  return rest(ctx);
}

Task<void> Service::news(Context& ctx, Bell<>* bell, TimePoint deadline) {
  auto called = on(attention_);
  auto late = by(runtime_.loop, deadline);
  if (bell != nullptr && !bell->ended()) {
    auto rung = on(*bell);
    co_await select(ctx, rung, called, late);
  } else {
    co_await select(ctx, called, late);
  }
}

Task<void> Service::rest(Context& ctx) {
  while (!ctx.cancelled() && !has_ended_for_good()) {
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
    if (*deadline == somebody_has_died) {
      co_await until_deaths_are_told(ctx);
      continue;
    }
    // Shared for as long as it is waited for: the dependency may be in its next run by then.
    SharedIncarnation awaited;
    Bell<>* bell = bell_to_wait_for(*this, awaited);
    if (bell == nullptr || bell->ended() || *deadline != TimePoint::max()) {
      co_await news(ctx, bell, *deadline);
      continue;
    }
    auto rung = on(*bell);
    auto called = on(attention_);
    co_await select(ctx, rung, called);
  }
}

Task<void> Service::start(Context& ctx) {
  if (record_.stuck) {
    refuse_start(last_run_is_stuck());
    co_return;
  }
  open_run(ctx);
  if (has(Hook::pre_start) && prepare()) {  // if it can't be prepared, the start below says so
    const bool passed = co_await run_hook(ctx, Hook::pre_start);
    if (!passed) {
      leave_running(must_stop() ? Event::stop_asked : Event::live_failed, record_.run.failure);
      co_return;
    }
  }
  if (!begin_run()) co_return;
  const Run& run = record_.run;
  bool hook_due = has(Hook::post_start);
  while (!ctx.cancelled() && record_.state == State::starting) {
    const TimePoint loss_due = look_after_losses();
    const bool came_up = ready_means_completed() ? exit_was_success(run, spec()) : all_true();
    if (hook_due && came_up && !must_stop()) {
      hook_due = false;
      [[maybe_unused]] const bool passed = co_await run_hook(ctx, Hook::post_start);
      continue;
    }
    // Who said READY=1 and ended in the same turn was ready first.
    if (run.exit && !all_true()) {
      leave_running(Event::exited, last_exit_error(record_, spec()));
    } else if (must_stop()) {
      leave_as_asked();
    } else if (run.failure) {
      leave_running(Event::live_failed, run.failure);
    } else if (all_true() && !run.exit && runtime_.graph.has_died_unnoticed(*this)) {
      // What it said was true, but its end is what comes next.
      const TimePoint due = runtime_.loop.now() + longest_between_looks;
      co_await news(ctx, nullptr, due);
    } else if (all_true()) {
      became_ready();
    } else if (start_deadline() <= runtime_.loop.horizon()) {
      start_took_too_long();
    } else if (const TimePoint due = std::min(start_deadline(), loss_due); due == TimePoint::max()) {
      co_await attention_.wait(ctx);
    } else {
      co_await news(ctx, nullptr, due);
    }
  }
}

Task<void> Service::stay_up(Context& ctx) {
  const Run& run = record_.run;
  while (!ctx.cancelled() && is_running(record_.state) && record_.state != State::stopping) {
    const TimePoint due = std::min({look_after_losses(), look_at_what_was_said(), look_for_main_process()});
    if (run.exit) {
      leave_running(Event::exited, last_exit_error(record_, spec()));
    } else if (must_stop()) {
      leave_as_asked();
    } else if (run.failure) {
      leave_running(Event::live_failed, run.failure);
    } else if (record_.state == State::ready && !all_true() && !is_gate()) {
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
  const Run& run = record_.run;
  if (may_take_leave()) co_await withdraw(ctx);
  if (has(Hook::pre_stop) && has_main_process() && !run.watchdog_expired) {
    co_await end_probes();
    [[maybe_unused]] const bool passed = co_await run_hook(ctx, Hook::pre_stop);
  }
  ask_main_process();
  co_await end_probes();
  bool rest_asked = run.in_background && main_pid() == 0;
  TimePoint killed_at = TimePoint::max();
  bool hook_due = has(Hook::post_stop) && run.leader != 0;
  while (!ctx.cancelled()) {
    if (run.tree_gone) {
      if (!std::exchange(hook_due, false)) break;
      [[maybe_unused]] const bool passed = co_await run_hook(ctx, Hook::post_stop);
      record_.run.tree_gone = false;  // it may have left somebody behind
      rest_asked = false;
      killed_at = TimePoint::max();
      ask_main_process();
    } else if (main_pid() == 0 && !rest_asked) {
      rest_asked = true;
      co_await yield(runtime_.loop);  // whether anybody is left behind is known a turn after the exit
      if (!run.tree_gone) ask_what_it_left();
    } else if (const TimePoint deadline = kill_deadline(record_, spec(), moment());
               deadline <= runtime_.loop.horizon()) {
      killed_at = std::min(killed_at, runtime_.loop.now());
      const bool reached_somebody = kill_tree();
      if (reached_somebody) co_await news(ctx, nullptr, kill_again_at(run, killed_at, runtime_.loop.now()));
      if (!run.tree_gone && give_up_killing(killed_at)) co_return;
    } else {
      co_await news(ctx, nullptr, deadline);
    }
  }
  if (!run.tree_gone) co_return;
  co_await look_for_cause();
  end_run();
}

Task<void> Service::back_off(Context& ctx) {
  const TimePoint due = saturating_add(
      record_.since, next_back_off(record_.history, *spec().restart, runtime_.probes.random.random()));
  record_.retry_at = due;
  while (!ctx.cancelled()) {
    if (std::exchange(record_.intent, Intent::run) == Intent::rest) {
      enter(Event::stop_asked, record_.cause);
      co_return;
    }
    if (record_.start_requested) {
      enter(Event::start_asked);
      co_return;
    }
    if (due <= runtime_.loop.horizon()) {
      enter(Event::delay_over, record_.cause);
      co_return;
    }
    co_await news(ctx, nullptr, due);
  }
}

void Service::request_start(bool by_name) {
  if (is_retired_) return;
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
  record_.wanted_in = ++runtime_.moments;
  // A blocked one binds when it heals: until then clients are to be refused and not kept waiting.
  const bool binds = spec().extras != nullptr && !spec().extras->listen.empty();
  if (binds && record_.state != State::blocked) resources().bind_sockets();
  attention_.notify();
}

void Service::request_stop(const StopTerms& terms) {
  if (has_ended_for_good()) return;
  record_.intent = terms.intent;
  record_.asked_in = ++runtime_.moments;
  record_.in_order = terms.in_order;
  if (terms.intent == Intent::again && is_running(record_.state)) ++counters_->restarts_on_command;
  if (terms.by_command) record_.history = {};
  if (terms.intent == Intent::rest) {
    record_.stopped_by_command = terms.by_command;
    record_.wanted = false;
    record_.start_requested = false;
  }
  record_.cause = terms.cause;
  record_.run.stop_timeout = terms.timeout;
  record_.run.kill_by = terms.kill_by;
  record_.run.end_by = terms.end_by;
  attention_.notify();
  if (!is_running(record_.state)) return;
  take_back();
  tell_dependents(false);  // an announced stop is a lost level
}

}  // namespace belfry::daemon
