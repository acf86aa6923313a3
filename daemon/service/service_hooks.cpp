// How a service's hooks are bounded by its phases, and what follows from their failure.
#include <algorithm>

#include "daemon/service/service.hpp"
#include "daemon/service/stop_rules.hpp"

namespace belfry::daemon {

// Hooks of the start share `ready.timeout`, those of the stop share the stop's time: a fifth of what is left,
// two seconds at most, is kept for the main process, which has heard of nothing yet when `pre_stop` hangs.
// Cleaning up has as much time again, because it is needed most where the stop took all there was.
TimePoint Service::hook_deadline(Hook which, TimePoint began) const {
  const Run& run = record_.run;
  switch (which) {
    case Hook::pre_start:
    case Hook::post_start: return std::min(start_deadline(), run.kill_by.value_or(TimePoint::max()));
    case Hook::pre_stop: {
      const TimePoint end = std::max(kill_deadline(record_, spec(), moment()), began);
      return end - std::min<Duration>((end - began) / 5, std::chrono::seconds(2));
    }
    case Hook::post_stop:
      return std::min(saturating_add(began, run.stop_timeout.value_or(spec().stop.timeout)),
                      run.end_by.value_or(TimePoint::max()));
  }
  return TimePoint::max();
}

bool Service::is_pointless(Hook which) const {
  switch (which) {
    case Hook::pre_start: return must_stop();
    case Hook::post_start:
      return must_stop() || record_.run.failure || (record_.run.exit && !ready_means_completed());
    case Hook::pre_stop: return !has_main_process();
    case Hook::post_stop: return false;
  }
  return false;
}

Result<system::OwnedFd> Service::prepare_hook(Hook which, system::Launch& launch) {
  auto child = resources().prepare_hook(launch);
  launch.set_command(bound(*command_of(spec(), which)));
  add_outputs_to(launch);
  launch.set_marker(marker());
  if (main_pid() != 0) launch.add_variable("MAINPID", std::to_string(main_pid()));
  if (which == Hook::post_stop && record_.run.exit) {
    launch.add_variable("EXIT_CODE", record_.run.exit->signaled ? "killed" : "exited");
    launch.add_variable("EXIT_STATUS", std::to_string(record_.run.exit->value));
  }
  return child;
}

Task<bool> Service::run_hook(Context& ctx, Hook which) {
  const TimePoint began = runtime_.loop.now();
  const std::string what = text_of(which, name());
  Result<bool> passed = false;
  system::Launch launch;
  if (hook_deadline(which, began) <= began) {
    passed = std::unexpected(Error::failed("cannot run " + what + ": there is no time left"));
  } else if (auto child = prepare_hook(which, launch); !child) {
    passed = std::unexpected(Error::failed("cannot run " + what + ": " + child.error().text()));
  } else {
    HookTerms terms{.deadline = [this, which](TimePoint at) { return hook_deadline(which, at); },
                    .is_pointless = [this, which] { return is_pointless(which); },
                    .patience = spec().stop.timeout,
                    .look_around = [this] { return look_after_losses(); },
                    .started =
                        [this](pid_t pid) {
                          // Before the start, its tree is the service's.
                          if (record_.run.leader == 0) record_.run.leader = pid;
                        }};
    hook_ = std::make_unique<HookRun>(runtime_.loop, runtime_.processes, attention_, which, what,
                                      std::move(terms));
    passed = co_await hook_->perform(ctx, launch, std::move(*child));
    hook_.reset();
  }
  if (passed) co_return *passed;
  passed = std::unexpected(shown(passed.error()));
  if (which == Hook::pre_start && !must_stop()) passed = std::unexpected(with_last_words(passed.error()));
  if (is_of_start(which))
    record_.run.failure = passed.error();
  else
    runtime_.listener.notice(*this, passed.error().text());
  co_return false;
}

}  // namespace belfry::daemon
