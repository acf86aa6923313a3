#include "daemon/service/service.hpp"

#include <algorithm>
#include <csignal>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "config/model/duration.hpp"

namespace belfry::daemon {

namespace {

// Not a time: somebody below has died, and what follows from it is known in a moment.
constexpr TimePoint look_again = TimePoint::min();

// At somebody whose death is known and not told.
constexpr Duration longest_between_looks = std::chrono::milliseconds(50);

}  // namespace

Service::Service(ServiceRuntime& runtime, const config::Service& spec, std::uint32_t index)
    : runtime_(runtime),
      spec_(spec),
      index_(index),
      attention_(runtime.loop, "service"),
      now_(std::make_shared<Incarnation>(runtime.loop, 1, own_bell_specs())) {
  record_.since = runtime.loop.now();
}

Service::~Service() {
  if (record_.pid != 0) runtime_.processes.disown(record_.pid);
  if (record_.hook != 0) runtime_.processes.disown(record_.hook);
  if (record_.main != 0) runtime_.processes.unfollow(record_.main);
  if (!record_.tree_gone && record_.leader != 0) runtime_.processes.unwatch_tree(*this);
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
  auto late = by(runtime_.loop, deadline);
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
    if (*deadline == look_again) {
      co_await until_deaths_are_told(ctx);
      continue;
    }
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

// Whoever was found dead is told of in the coming turn, or when its shim has said so, which may be stopped
// itself.
Task<void> Service::until_deaths_are_told(Context& ctx) {
  co_await yield_to_all(runtime_.loop);
  Duration pause = std::chrono::milliseconds(1);
  while (!ctx.cancelled() && record_.intent == Intent::run && edges_hold() && stands_on_dead()) {
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
  if (auto hopeless = hopeless_cause()) {
    enter(Event::blocked, *hopeless);  // also when it is blocked already: the cause may have changed
    return TimePoint::max();
  }
  if (record_.state == State::blocked) enter(Event::healed);
  if (edges_hold()) {
    // So that only the clone comes between this look and the start; what keeps it from that the start says.
    [[maybe_unused]] const Result<void> prepared = record_.stuck ? Result<void>() : prepare();
    if (stands_on_dead()) return look_again;
    if (spec_.command.empty() || runtime_.start_slots.take(attention_)) {
      enter(Event::edges_hold);
      return std::nullopt;
    }
  } else {
    runtime_.start_slots.forget(attention_);
  }
  if (refusal_) {
    enter(Event::start_refused, std::exchange(refusal_, {}));
    return std::nullopt;
  }
  prepare_if_next();
  const TimePoint deadline = edge_deadline();
  if (deadline > runtime_.loop.horizon()) return deadline;
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
    } else if (all_true() && !record_.exit && has_died_unnoticed()) {
      // What it said was true, but its end is what comes next.
      const TimePoint due = runtime_.loop.now() + longest_between_looks;
      co_await news(ctx, nullptr, due);
    } else if (all_true()) {
      record_.ready_at = runtime_.loop.now();
      record_.paused_before_ping = runtime_.loop.paused();
      record_.has_been_ready = true;
      find_main_process();
      enter(Event::became_ready);
      now_->ready.ring();
      // A service that takes long to come up is not one that hangs: `live` is asked from here on.
      if (spec_.live) liveness_ = watch_probes(*spec_.live, ProbeRole::live);
    } else if (start_deadline() <= runtime_.loop.horizon()) {
      const std::string why = probe_error_ ? ": " + probe_error_.text() : "";
      record_.failure = Error(Error::Kind::failed,
                              std::string(name()) + " was not ready in time" + why + " (ready.timeout " +
                                  config::to_string(ready_timeout().value_or(Duration::zero())) + ")");
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
  if (has(Hook::pre_stop) && has_main_process() && !record_.watchdog_expired) {
    co_await end_probes(ctx);
    const bool passed = co_await run_hook(ctx, Hook::pre_stop);
    if (!passed) hook_failed(Hook::pre_stop);
  }
  ask_main_process();
  co_await end_probes(ctx);
  bool rest_asked = record_.in_background && main_pid() == 0;
  TimePoint killed_at = TimePoint::max();
  bool hook_due = has(Hook::post_stop) && record_.leader != 0;
  while (!ctx.cancelled()) {
    if (record_.tree_gone) {
      if (!std::exchange(hook_due, false)) break;
      const bool passed = co_await run_hook(ctx, Hook::post_stop);
      if (!passed) hook_failed(Hook::post_stop);
      record_.tree_gone = false;  // it may have left somebody behind
      rest_asked = false;
      killed_at = TimePoint::max();
      ask_main_process();
    } else if (main_pid() == 0 && !rest_asked) {
      rest_asked = true;
      co_await yield(runtime_.loop);  // whether anybody is left behind is known a turn after the exit
      if (record_.tree_gone) continue;
      all_heard_ = false;  // who outlives the main process may have something to say
      name_what_it_left();
      runtime_.processes.signal(tree(), SIGTERM, system::Scope::tree);
    } else if (const TimePoint deadline = kill_deadline(); deadline <= runtime_.loop.horizon()) {
      killed_at = std::min(killed_at, runtime_.loop.now());
      const bool reached_somebody = kill_tree();
      if (reached_somebody) co_await news(ctx, nullptr, kill_again_at(killed_at));
      if (!record_.tree_gone && give_up_killing(killed_at)) co_return;
    } else {
      co_await news(ctx, nullptr, deadline);
    }
  }
  if (record_.tree_gone) end_run();
}

Task<void> Service::back_off(Context& ctx) {
  const TimePoint due = saturating_add(
      record_.since, next_back_off(record_.history, *spec_.restart, runtime_.listener.random()));
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
  if (record_.state != State::blocked) runtime_.provisions.bind_sockets(*this);
  attention_.notify();
}

void Service::request_stop(const StopTerms& terms) {
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
  record_.stop_timeout = terms.timeout;
  record_.kill_by = terms.kill_by;
  record_.end_by = terms.end_by;
  attention_.notify();
  if (is_running(record_.state)) tell_dependents(false);  // an announced stop is a lost level
}

}  // namespace belfry::daemon
