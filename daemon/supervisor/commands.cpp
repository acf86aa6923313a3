// What the outside may ask of the stack: waits and commands.
#include <algorithm>
#include <csignal>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "daemon/service/announcer.hpp"
#include "daemon/service/description.hpp"
#include "daemon/service/service_reload.hpp"
#include "daemon/service/stop_rules.hpp"
#include "daemon/supervisor/command_answer.hpp"
#include "daemon/supervisor/schedules.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace belfry::daemon {

using config::Condition;
using config::ServiceType;

namespace {

// A gate asks its members for it.
bool knows_bell(const Service& service, std::string_view bell) {
  return service.is_gate() || service.incarnation()->has_own(bell);
}

}  // namespace

void answer(CommandResult& result, const Result<void>& waited, std::string_view verb, std::string_view name,
            std::string_view done) {
  if (waited) {
    result.message = std::string(name) + " " + std::string(done);
    return;
  }
  const Error& why = waited.error();
  result.outcome = why.kind() == Error::Kind::failed    ? CommandOutcome::never
                   : why.kind() == Error::Kind::closed  ? CommandOutcome::shutting_down
                   : why.kind() == Error::Kind::refused ? CommandOutcome::refused
                                                        : CommandOutcome::not_in_time;
  result.message = "cannot " + std::string(verb) + " " + std::string(name) + ": " + why.text();
}

// No level is held for ever, so there is nothing that makes this wait hopeless.
Task<Result<void>> Supervisor::wait_until_not(Context& ctx, Service& service, Level level) {
  Wakeup changed(loop_, "wait until not");
  StateWatch watch(changed);
  service.watch(watch);
  Result<void> told;
  while (told && service.level(level.condition, level.bell)) told = co_await changed.wait(ctx);
  co_return told;
}

Task<Result<void>> Supervisor::wait_for(Context& ctx, std::size_t index, Level level) {
  Service& service = *services_[index];
  const bool has_its_bell = level.condition != Condition::own_bell || knows_bell(service, level.bell);
  if (level.negated) {
    Result<void> result = co_await wait_until_not(ctx, service, std::move(level));
    co_return result;
  }
  Wakeup changed(loop_, "wait for");
  StateWatch watch(changed);
  service.watch(watch);
  Result<void> result;
  Duration pause{0};
  for (;;) {
    if (service.level(level.condition, level.bell)) {
      if (!graph_.has_died_unnoticed(service)) break;
      // Its death is told in the coming turn, or when its shim has said so.
      if (pause == Duration::zero()) {
        co_await yield_to_all(loop_);
      } else {
        auto told = on(changed);
        auto due = after(loop_, pause);
        co_await select(ctx, told, due);
      }
      pause = std::clamp<Duration>(pause * 2, std::chrono::milliseconds(1), longest_between_looks);
      if (!ctx.cancelled()) continue;
      result = std::unexpected(ctx.cause());
      break;
    }
    if (shutting_down_) {
      result = std::unexpected(Error::closed("the stack is shutting down"));
      break;
    }
    if (service.is_retired()) {
      result = std::unexpected(Error::failed(std::string(service.name()) + " is in the file no more"));
      break;
    }
    if (has_its_bell && !knows_bell(service, level.bell) && level.condition == Condition::own_bell) {
      result = std::unexpected(
          Error::failed(std::string(service.name()) + " has no bell " + level.bell + " any more"));
      break;
    }
    // Before its first run it has not failed to do anything.
    const bool is_to_come = service.state() == State::inactive && schedules_->will_start(service);
    if (is_settled(service.state()) && !service.record().start_requested && !is_to_come) {
      std::string why = std::string(service.name()) + " is " + std::string(name_of(service.state()));
      if (const std::string error = last_error(service); !error.empty()) why += ": " + error;
      result = std::unexpected(Error::failed(std::move(why)));
      break;
    }
    // Shared for as long as it is waited for: the service may be in its next run by then.
    const SharedIncarnation run = service.incarnation();
    Bell<>& bell = run->bell_for(level.condition, level.bell);
    std::size_t which = 0;
    auto told = on(changed);
    if (bell.ended()) {
      which = co_await select(ctx, told);
    } else {
      auto rung = on(bell);
      which = co_await select(ctx, rung, told);
    }
    if (which == select_cancelled) {
      result = std::unexpected(ctx.cause());
      break;
    }
  }
  co_return result;
}

// Until this run has ended, whatever somebody else asked for meanwhile; what does not run has taken note when
// it has settled, or when somebody asked for its start after `asked_in`.
Task<Result<void>> Supervisor::until_gone(Context& ctx, Service& service, SharedIncarnation run,
                                          std::uint64_t asked_in) {
  Wakeup changed(loop_, "until gone");
  StateWatch watch(changed);
  service.watch(watch);
  Result<void> told;
  while (told) {
    if (service.incarnation() != run) break;
    if (!is_running(service.state()) && is_settled(service.state())) break;
    if (service.record().wanted_in > asked_in) {  // it did not run then, so this run is wanted
      told = std::unexpected(Error(Error::Kind::refused, "its start was asked for meanwhile"));
      break;
    }
    told = co_await changed.wait(ctx);
  }
  co_return told;
}

// Ready, or completed by a run that this very request made.
Task<Result<void>> Supervisor::until_up(Context& ctx, Service& service) {
  const bool oneshot = service.spec().type == ServiceType::oneshot;
  Wakeup changed(loop_, "until up");
  StateWatch watch(changed);
  service.watch(watch);
  Result<void> told;
  while (told && (service.record().start_requested || (oneshot && !is_settled(service.state()))))
    told = co_await changed.wait(ctx);
  if (!told) co_return told;
  Level up{.condition = oneshot ? Condition::completed : Condition::ready};
  told = co_await wait_for(ctx, service.index(), std::move(up));
  co_return told;
}

Task<CommandResult> Supervisor::command(Context& ctx, ServiceCommand command, std::size_t index,
                                        Manner manner) {
  Service& service = *services_[index];
  const std::string name(service.name());
  const bool only = manner == Manner::alone;
  // Who hangs while everything stops is killed by name rather than with all the others.
  if (shutting_down_ && command != ServiceCommand::kill) {
    co_return CommandResult{.outcome = CommandOutcome::shutting_down,
                            .message = "cannot do that with " + name + ": the stack is shutting down",
                            .affected = {}};
  }
  const bool plain =
      service.spec().type == ServiceType::daemon || service.spec().type == ServiceType::oneshot;
  if (!plain && service.spec().type == ServiceType::external) {
    co_return CommandResult{.outcome = CommandOutcome::refused,
                            .message = "cannot control " + name + ": belfry does not run it (type: external)",
                            .affected = {}};
  }
  switch (command) {
    case ServiceCommand::start: co_return co_await start(ctx, service, only);
    case ServiceCommand::stop: co_return co_await stop(ctx, service, Intent::rest, only);
    case ServiceCommand::restart:
      if (manner == Manner::rolling) co_return co_await roll(ctx, service);
      co_return co_await stop(ctx, service, Intent::again, only);
    case ServiceCommand::kill: co_return co_await kill(ctx, service);
    case ServiceCommand::reload: co_return co_await reload(ctx, service);
  }
  co_return CommandResult{};
}

// The services that a name stands for: itself, or its replicas; then, if asked for, the gate as well.
std::vector<Service*> Supervisor::meant_by(Service& service, bool with_itself) const {
  std::vector<Service*> meant;
  if (!service.spec().replicated || with_itself) meant.push_back(&service);
  if (!service.spec().replicated) return meant;
  for (const Edge& replica : service.edges()) meant.push_back(&service_of(*replica.on));
  return meant;
}

Task<CommandResult> Supervisor::kill(Context& ctx, Service& service) {
  const std::string name(service.name());
  CommandResult result;
  std::vector<std::pair<Service*, SharedIncarnation>> killed;
  for (Service* one : meant_by(service, false)) {
    if (!one->kill_processes()) continue;
    killed.emplace_back(one, one->incarnation());
    result.affected.emplace_back(one->name());
  }
  if (killed.empty()) {
    result.outcome = CommandOutcome::refused;
    result.message = "cannot kill " + name + ": it does not run";
    co_return result;
  }
  const std::uint64_t asked_in = runtime_.moments;
  Result<void> waited;
  for (const auto& [one, run] : killed) {
    if (!waited) break;
    const auto left = one->survivors();
    const bool out_of_reach = std::ranges::all_of(left, [](const auto& p) { return p.refused != 0; });
    if (!left.empty() && out_of_reach) {
      waited = std::unexpected(Error::failed(text_of(left)));
      break;
    }
    // A process that does not end sleeps uninterruptibly; the caller is told so.
    Context bounded(ctx, saturating_add(loop_.now(), saturating_add(killing_takes, one->stop_allowance())));
    waited = co_await until_gone(bounded, *one, run, asked_in);
  }
  answer(result, waited, "kill", name, "was killed");
  co_return result;
}

Task<CommandResult> Supervisor::reload(Context& ctx, Service& service) {
  ServiceReload reload(runtime_, service);
  const Result<std::string> done = co_await reload.perform(ctx);
  CommandResult result{
      .outcome = CommandOutcome::done, .message = {}, .affected = {std::string(service.name())}};
  answer(result, done ? Result<void>() : std::unexpected(done.error()), "reload", service.name(), "");
  if (done) result.message = *done;
  if (!done && done.error().kind() == Error::Kind::refused) result.outcome = CommandOutcome::refused;
  co_return result;
}

Task<CommandResult> Supervisor::start(Context& ctx, Service& service, bool only) {
  CommandResult result;
  if (!only) request_start_of_all(service, result);
  if (only && !is_running(service.state())) result.affected.emplace_back(service.name());
  service.request_start(true);
  schedules_->take(service);
  count_health(service);
  const Result<void> waited = co_await until_up(ctx, service);
  answer(result, waited, "start", service.name(), "is ready");
  co_return result;
}

void Supervisor::request_start_of_all(Service& service, CommandResult& result) {
  for (Node* node : graph_.required_closure({&service})) {
    Service* needed = &service_of(*node);
    // A oneshot that has done its work is not done again because somebody else needs it.
    const bool done = needed->state() == State::completed && needed->spec().type == ServiceType::oneshot;
    if (needed != &service && done) continue;
    if (!is_running(needed->state())) result.affected.emplace_back(needed->name());
    needed->request_start();
    count_health(*needed);
  }
}

// What is down already takes nothing away from anybody.
std::vector<const Service*> Supervisor::counted_on_elsewhere(const std::vector<Node*>& going) const {
  std::vector<const Service*> counted;
  for (Node* node : going) {
    const Service& one = service_of(*node);
    const bool is_counted =
        one.spec().extras && one.spec().extras->update && one.spec().extras->update->max_unavailable != 0;
    if (is_counted && runtime_.announcer != nullptr && one.default_level()) counted.push_back(&one);
  }
  return counted;
}

// Who has to go is looked at again after each wait: somebody may have become ready meanwhile.
Task<Result<void>> Supervisor::leave_of_other_hosts(Context& ctx, std::function<std::vector<Node*>()> going) {
  std::vector<const Service*> asked_for;
  for (;;) {
    std::vector<const Service*> counted = counted_on_elsewhere(going());
    const bool is_known = std::ranges::all_of(
        counted, [&](const Service* one) { return std::ranges::find(asked_for, one) != asked_for.end(); });
    if (is_known) co_return Result<void>();
    asked_for = counted;
    const Result<void> given = co_await runtime_.announcer->reserve(ctx, std::move(counted));
    if (!given) co_return given;
    if (shutting_down_) co_return std::unexpected(Error::closed("the stack is shutting down"));
  }
}

Task<CommandResult> Supervisor::stop(Context& ctx, Service& service, Intent intent, bool only) {
  CommandResult result;
  const std::string verb = intent == Intent::rest ? "stop" : "restart";
  const Error cause(Error::Kind::cancelled, verb == "stop" ? "stopped by command" : "restarted by command");
  const auto roots = meant_by(service, intent == Intent::rest);
  const std::vector<Node*> asked(roots.begin(), roots.end());
  if (intent == Intent::again) {
    const auto going = [&] { return only ? asked : graph_.who_must_stop(asked); };
    const bool rested = std::ranges::any_of(roots, &Service::was_stopped);
    Result<void> given = co_await leave_of_other_hosts(ctx, going);
    if (given && !rested && std::ranges::any_of(roots, &Service::was_stopped))
      given = std::unexpected(Error(Error::Kind::refused, "its stop was asked for meanwhile"));
    if (!given) {
      answer(result, given, verb, service.name(), "");
      co_return result;
    }
  }
  const auto concerned = only ? asked : graph_.who_must_stop(asked);
  std::vector<std::pair<Service*, SharedIncarnation>> gone;  // the runs to wait for, until they have ended,
  std::vector<Service*> back;                                // then those who are to be as they were
  // The last first: who depends on it is asked before it, and is back by itself when its edges hold again.
  for (auto it = concerned.rbegin(); it != concerned.rend(); ++it) {
    Service& one = service_of(**it);
    const bool root = std::ranges::find(roots, &one) != roots.end();
    const bool ran = is_running(one.state());
    if (root && (ran || intent == Intent::rest)) gone.emplace_back(&one, one.incarnation());
    if (root && !ran && intent == Intent::again) {
      request_start_of_all(one, result);
    } else {
      result.affected.emplace_back(one.name());
      // Who is on its way to rest by another command is not brought back by this one.
      const bool rests = root ? intent == Intent::rest : one.record().intent == Intent::rest;
      if (!root && !rests && one.state() == State::ready) back.push_back(&one);
      StopTerms terms{.intent = rests ? Intent::rest : Intent::again, .cause = cause};
      // A gate has nothing to stop: it goes at once, so that who counts its members counts those that stay.
      terms.in_order = !only && (root || one.spec().type != config::ServiceType::gate);
      one.request_stop(terms);
    }
    count_health(one);
  }
  const std::uint64_t asked_in = runtime_.moments;
  Result<void> waited;
  for (const auto& [one, run] : gone) {
    if (waited) waited = co_await until_gone(ctx, *one, run, asked_in);
  }
  if (intent == Intent::again) {
    back.push_back(&service);
    for (auto it = back.rbegin(); it != back.rend() && waited; ++it) waited = co_await until_up(ctx, **it);
  }
  answer(result, waited, verb, service.name(), intent == Intent::rest ? "is stopped" : "is ready again");
  co_return result;
}

}  // namespace belfry::daemon
