#include "daemon/service/service_reload.hpp"

#include <algorithm>
#include <csignal>

#include "channels/bell.hpp"
#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "config/model/output_reference.hpp"
#include "daemon/service/description.hpp"
#include "daemon/service/stop_rules.hpp"
#include "system/signals.hpp"

namespace belfry::daemon {

namespace {

constexpr Duration patience_by_default = std::chrono::minutes(1);
// How long a service that speaks may take to say that it has begun.
constexpr Duration time_to_begin = std::chrono::seconds(2);

struct Exit final : system::ExitWatcher {
  explicit Exit(Loop& loop) : bell(loop, "reload exit") {}
  void on_exit(pid_t, system::ExitStatus status) override { bell.ring(status); }
  Bell<system::ExitStatus> bell;
};

bool speaks(const Service& service) {
  return std::ranges::any_of(service.spec().ready.probes,
                             [](const config::Probe& p) { return p.kind == config::Probe::Kind::notify; });
}

}  // namespace

ServiceReload::ServiceReload(ServiceRuntime& runtime, Service& service)
    : runtime_(runtime),
      service_(service),
      described_by_(service.description()),
      how_(service.spec().extras.get()),
      run_(service.incarnation()),
      changed_(runtime.loop, "reload") {
  service_.watch(watch_);
}

Error ServiceReload::failure(const std::string& why) const {
  return Error::failed(std::string(service_.name()) + " " + why);
}

bool ServiceReload::has_left() const {
  const State state = service_.state();
  return service_.incarnation() != run_ || (state != State::ready && state != State::unready);
}

Result<void> ServiceReload::check() const {
  const auto refused = [](const std::string& why) {
    return std::unexpected(Error(Error::Kind::refused, why));
  };
  if (how_ == nullptr || (!how_->reload_signal && how_->reload_command.empty()))
    return refused("it has no `reload:` (write `reload: SIGHUP`, or `reload: {command: […]}`)");
  if (has_left() || service_.main_pid() == 0)
    return refused("it is " + std::string(name_of(service_.state())) + ", and only what runs can reload");
  return {};
}

Task<Result<std::string>> ServiceReload::perform(Context& ctx) {
  if (auto ok = check(); !ok) co_return std::unexpected(ok.error());
  // As exact as the service can be when it says when it began.
  asked_at_ = std::chrono::floor<std::chrono::microseconds>(runtime_.loop.now());
  Context bounded(
      ctx, saturating_add(runtime_.loop.now(), service_.ready_timeout().value_or(patience_by_default)));
  std::string done = "reloaded " + std::string(service_.name());
  if (how_->reload_signal) {
    const std::string signal = system::signal_name(*how_->reload_signal);
    if (!service_.signal_main(*how_->reload_signal))
      co_return std::unexpected(failure("is gone: there is nobody to send " + signal + " to"));
    done = "sent " + signal + " to " + std::string(service_.name());
  } else {
    const Result<void> ran = co_await run_command(bounded);
    if (!ran) co_return std::unexpected(ran.error());
  }
  if (!speaks(service_)) co_return done;
  const Result<bool> answered = co_await until_done(bounded);
  if (!answered) co_return std::unexpected(answered.error());
  if (*answered) co_return std::string(service_.name()) + " has reloaded";
  co_return done + " (it does not say when it has reloaded)";
}

Task<Result<void>> ServiceReload::run_command(Context& bounded) {
  const std::string program = config::with_references_written_out(how_->reload_command.front());
  system::Launch launch;
  auto child = service_.resources().prepare_hook(launch);
  launch.set_command(service_.bound(how_->reload_command));
  service_.add_outputs_to(launch);
  launch.set_marker(service_.marker());
  launch.add_variable("MAINPID", std::to_string(service_.main_pid()));
  Exit exit(runtime_.loop);
  std::expected<pid_t, system::SpawnError> pid = std::unexpected(system::SpawnError{});
  if (!child) co_return std::unexpected(child.error());
  pid = runtime_.processes.spawn(launch, exit);
  child->close();
  if (!pid) co_return std::unexpected(failure("has no such reload command: " + pid.error().text(program)));
  service_.reloads_by(*pid);
  Result<void> result;
  while (result && !exit.bell.ended()) {
    auto ended = on(exit.bell);
    auto told = on(changed_);
    const std::size_t which = co_await select(bounded, ended, told);
    if (which == select_cancelled) result = std::unexpected(bounded.cause());
    if (!exit.bell.ended() && has_left()) result = std::unexpected(failure("ended while it reloaded"));
  }
  const system::TreeId group{.leader = *pid, .marker = {}, .log_pipe = 0};
  runtime_.processes.signal(group, SIGKILL, system::Scope::group);  // what it forked has had its time
  Context patience(runtime_.loop);  // a killed process is reaped soon; its exit must not find us gone
  Context limited(patience, runtime_.loop.now() + sigkill_takes);
  const auto gone = co_await exit.bell.wait(limited);
  service_.reloads_by(0);
  if (gone.cancelled()) {
    const std::string left = text_of(runtime_.processes.survivors(group));
    runtime_.processes.disown(*pid);
    co_return std::unexpected(failure("reloads for ever: " + program + " cannot be killed: " + left));
  }
  if (!result)
    co_return std::unexpected(result.error().wrap("the reload command " + program + " was killed"));
  if (const system::ExitStatus status = exit.bell.value(); !status.success())
    co_return std::unexpected(
        failure("keeps its configuration: the reload command " + program + " " + status.text()));
  co_return result;
}

// True: it has begun after we asked, and is done. False: it has not begun in time, and will not say.
Task<Result<bool>> ServiceReload::until_done(Context& bounded) {
  const TimePoint give_up = runtime_.loop.now() + time_to_begin;
  while (!has_left()) {
    if (has_begun() && !service_.record().run.said.reload().running) co_return true;
    if (!has_begun() && give_up <= runtime_.loop.horizon()) co_return false;
    auto told = on(changed_);
    auto late = by(runtime_.loop, has_begun() ? TimePoint::max() : give_up);
    const std::size_t which = co_await select(bounded, told, late);
    if (which == select_cancelled) {
      if (bounded.cause().kind() != Error::Kind::deadline_exceeded)
        co_return std::unexpected(bounded.cause());
      co_return std::unexpected(bounded.cause().wrap(std::string(service_.name()) +
                                                     " has said RELOADING=1, and not READY=1 since"));
    }
  }
  const std::string error = last_error(service_);
  co_return std::unexpected(failure("ended while it reloaded" + (error.empty() ? "" : ": " + error)));
}

}  // namespace belfry::daemon
