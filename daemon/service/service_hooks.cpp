// The commands that accompany a run: before its start, after it is ready, before its stop, after its end.
//
// A hook belongs to the run: its user, directory, environment, output and marker are the service's, what it
// leaves behind is part of the service's tree. It is bounded by its phase, and given up when the phase is
// (systemd.service(5), ExecStartPre= and its kin).
#include <algorithm>
#include <csignal>

#include "daemon/service/service.hpp"

namespace belfry::daemon {

namespace {

constexpr Duration sigkill_takes = std::chrono::seconds(2);

constexpr std::string_view hook_names[] = {"pre_start", "post_start", "pre_stop", "post_stop"};

// What bounds it, by the name it has in the file.
constexpr std::string_view bounds[] = {"ready.timeout", "ready.timeout", "stop.timeout", "stop.timeout"};

}  // namespace

const config::Command* Service::command_of(Hook which) const {
  if (spec_.extras == nullptr) return nullptr;
  const config::ServiceExtras& e = *spec_.extras;
  const config::Command* commands[] = {&e.pre_start, &e.post_start, &e.pre_stop, &e.post_stop};
  const config::Command* found = commands[static_cast<std::size_t>(which)];
  return found->empty() ? nullptr : found;
}

// Hooks of the start share `ready.timeout`, those of the stop share the stop's time: a fifth of what is left,
// two seconds at most, is kept for the main process, which has heard of nothing yet when `pre_stop` hangs.
// Cleaning up has as much time again, because it is needed most where the stop took all there was.
// A shutdown may begin while the hook runs, so it is asked again after each piece of news.
TimePoint Service::hook_deadline(Hook which, TimePoint began) const {
  switch (which) {
    case Hook::pre_start:
    case Hook::post_start: return std::min(start_deadline(), record_.kill_by.value_or(TimePoint::max()));
    case Hook::pre_stop: {
      const TimePoint end = std::max(kill_deadline(), began);
      return end - std::min<Duration>((end - began) / 5, std::chrono::seconds(2));
    }
    case Hook::post_stop:
      return std::min(saturating_add(began, record_.stop_timeout.value_or(spec_.stop.timeout)),
                      record_.end_by.value_or(TimePoint::max()));
  }
  return TimePoint::max();
}

bool Service::is_pointless(Hook which) const {
  switch (which) {
    case Hook::pre_start: return must_stop();
    case Hook::post_start:
      return must_stop() || record_.failure || (record_.exit && !ready_means_completed());
    case Hook::pre_stop: return !has_main_process();
    case Hook::post_stop: return false;
  }
  return false;
}

Task<bool> Service::run_hook(Context& ctx, Hook which) {
  hook_error_ = {};
  const TimePoint began = runtime_.loop.now();
  const std::string what =
      std::string(hook_names[static_cast<std::size_t>(which)]) + " of " + std::string(name());
  if (hook_deadline(which, began) <= began) {
    hook_error_ = Error(Error::Kind::failed, "cannot run " + what + ": there is no time left");
    co_return false;
  }
  system::Launch launch;
  const auto prepared = runtime_.provisions.prepare_hook(*this, launch);
  launch.set_command(*command_of(which));
  launch.set_marker(marker());
  if (main_pid() != 0) launch.add_variable("MAINPID", std::to_string(main_pid()));
  if (which == Hook::post_stop && record_.exit) {
    launch.add_variable("EXIT_CODE", record_.exit->signaled ? "killed" : "exited");
    launch.add_variable("EXIT_STATUS", std::to_string(record_.exit->value));
  }
  std::expected<pid_t, system::SpawnError> pid = std::unexpected(system::SpawnError{});
  if (prepared) pid = runtime_.processes.spawn(launch, *this);
  runtime_.provisions.hook_started(*this);
  if (!pid) {
    hook_error_ = Error(Error::Kind::failed, "cannot run " + what + ": " +
                                                 (prepared ? pid.error().text(command_of(which)->front())
                                                           : prepared.error().text()));
    co_return false;
  }
  record_.hook = *pid;
  record_.hook_exit.reset();
  if (record_.leader == 0) record_.leader = *pid;  // before the start, its tree is the service's
  const system::TreeId group{.leader = *pid, .marker = {}, .log_pipe = 0};
  bool asked = false;
  TimePoint patience = TimePoint::max();  // with one that was asked to end
  TimePoint killed_at = TimePoint::max();
  while (record_.hook != 0 && !ctx.cancelled()) {
    const TimePoint deadline = std::min(hook_deadline(which, began), patience);
    const bool starts = which == Hook::pre_start || which == Hook::post_start;
    const TimePoint loss_due = starts ? look_after_losses() : TimePoint::max();
    if (deadline <= runtime_.loop.horizon()) {
      hook_error_ =
          Error(Error::Kind::failed, what + " did not end in time: killed (" +
                                         std::string(bounds[static_cast<std::size_t>(which)]) + ")");
      runtime_.processes.signal(group, SIGKILL, system::Scope::group);
      killed_at = std::min(killed_at, runtime_.loop.now());
      const TimePoint given_up_at = killed_at + sigkill_takes;
      if (given_up_at <= runtime_.loop.now()) {
        let_go_of_hook(what);
        break;
      }
      co_await news(ctx, nullptr, given_up_at);
    } else if (!asked && is_pointless(which)) {
      asked = true;
      patience = saturating_add(runtime_.loop.now(), spec_.stop.timeout);
      runtime_.processes.signal(group, SIGTERM, system::Scope::group);
    } else {
      co_await news(ctx, nullptr, std::min(deadline, loss_due));
    }
  }
  runtime_.processes.signal(group, SIGKILL, system::Scope::group);  // what it forked has had its time
  if (!record_.hook_exit || asked || hook_error_) co_return false;
  if (!record_.hook_exit->success())
    hook_error_ = Error(Error::Kind::failed, what + " " + record_.hook_exit->text());
  co_return !hook_error_;
}

// The kernel does not end it: nobody waits for it any more. What can be seen of it belongs to the tree.
void Service::let_go_of_hook(const std::string& what) {
  const auto left = runtime_.processes.survivors({.leader = record_.hook, .marker = {}, .log_pipe = 0});
  hook_error_ =
      Error(Error::Kind::failed, what + " did not end in time, and cannot be killed: " + text_of(left));
  runtime_.processes.disown(std::exchange(record_.hook, 0));
}

// Of a start it is the start's failure; a stop goes on whatever its hooks do.
void Service::hook_failed(Hook which) {
  if (!hook_error_) return;
  if (which == Hook::pre_start || which == Hook::post_start)
    record_.failure = hook_error_;
  else
    runtime_.listener.notice(*this, hook_error_.text());
}

}  // namespace belfry::daemon
