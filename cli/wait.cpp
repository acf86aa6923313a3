// belfry wait: everything it was told becomes one request to the room that waits (waiter/).
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>
#include <utility>

#include "cli/commands.hpp"
#include "cli/locate.hpp"
#include "cli/program.hpp"
#include "cli/wait_talk.hpp"
#include "config/model/exit_codes.hpp"
#include "system/become.hpp"
#include "system/signals.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using Kind = config::Probe::Kind;

Failure usage(std::string message, std::string next_step = "belfry wait --help") {
  return {exit_code::usage, std::move(message), std::move(next_step)};
}

// Each once: the same target twice is asked once.
Expected<void> add_targets(const Invocation& asked, const waiter::ProbeOptions& options,
                           const std::string& directory, waiter::Request& request) {
  std::set<std::string_view> seen;
  for (const std::string& name : asked.names) {
    if (!seen.insert(name).second) continue;
    if (waiter::is_service(name)) {
      request.services.names.push_back(name);
      continue;
    }
    auto target = waiter::parse_target(name, directory, options);
    if (!target) return std::unexpected(usage(target.error().text()));
    request.targets.push_back(std::move(*target));
  }
  return {};
}

// An option that fits nobody is a mistake, and not one to be found out by waiting.
Expected<void> check_that_options_fit(const Invocation& asked, const waiter::ProbeOptions& options,
                                      const waiter::Request& request) {
  const auto nobody = [&request](auto fits) {
    return std::ranges::none_of(request.targets, [&](const waiter::Target& one) { return fits(one.probe); });
  };
  if (options.http && nobody([](const config::Probe& probe) { return probe.kind == Kind::http; }))
    return std::unexpected(
        usage("cannot use --method, --header, --status, --body, --json: no target is an http URL"));
  if (options.tls && nobody([](const config::Probe& probe) { return probe.tls != nullptr; }))
    return std::unexpected(usage("cannot use --insecure, --ca, --cert: no target speaks TLS",
                                 "https://, tls://, rediss://, amqps:// and grpcs:// do"));
  if (!options.query.empty() && nobody([](const config::Probe& probe) { return !probe.query->empty(); }))
    return std::unexpected(usage("cannot use --query: no target is a postgres or mysql URL"));
  if (!asked.condition.empty() && request.services.names.empty())
    return std::unexpected(usage("cannot use --for: no target is a service of a running belfry"));
  return {};
}

// A line can be rewritten on a terminal, and not on one that calls itself dumb (a shell in an editor).
bool rewrites_lines(int fd) {
  const char* const kind = std::getenv("TERM");
  return ::isatty(fd) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

waiter::Pace pace_of(const Invocation& asked) {
  if (asked.wait.quiet) return waiter::Pace::nothing;
  return rewrites_lines(STDERR_FILENO) ? waiter::Pace::line : waiter::Pace::reminders;
}

// No names: everything that is wanted.
Expected<void> add_everything(const Invocation& asked, waiter::Request& request) {
  auto client = connect_to_daemon(asked);
  if (!client) return std::unexpected(client.error());
  const auto reply = client->request("GET", "/v1/services");
  if (!reply) return std::unexpected(reply.error());
  const auto status = reply->status == 200 ? client::read_status(reply->body) : std::nullopt;
  if (!status)
    return std::unexpected(
        Failure{exit_code::unavailable, "cannot see what to wait for: " + client::detail_of(*reply), ""});
  for (const client::ServiceStatus& service : status->services)
    if (service.wanted) request.services.names.push_back(service.name);
  return {};
}

Expected<waiter::Request> request_of(const Invocation& asked) {
  const std::string directory = std::filesystem::current_path().string();
  waiter::Request request;
  auto options = probe_options(asked.wait, directory);
  if (!options) return std::unexpected(options.error());
  auto terms = attempt_terms(asked.wait);
  if (!terms) return std::unexpected(terms.error());
  request.attempts = *terms;
  if (auto added = add_targets(asked, *options, directory, request); !added)
    return std::unexpected(added.error());
  if (asked.names.empty()) {
    if (auto added = add_everything(asked, request); !added) return std::unexpected(added.error());
    if (request.services.names.empty()) return request;
  }
  if (auto fit = check_that_options_fit(asked, *options, request); !fit) return std::unexpected(fit.error());
  request.any = asked.wait.any;
  request.pace = pace_of(asked);
  if (asked.timeout && *asked.timeout > Duration::zero()) request.timeout = asked.timeout;
  if (request.services.names.empty()) return request;
  request.services.condition = asked.condition;
  auto daemon = connect_to_daemon(asked);
  if (!daemon) return std::unexpected(daemon.error());
  request.services.socket = daemon->path();
  return request;
}

int end_by(int signo) {
  system::die_of(signo);
  return exit_code::by_signal + signo;
}

int run_program(const std::vector<std::string>& program) {
  std::cout.flush();
  return report(cannot_run(program.front(), system::become(program)));
}

waiter::Outcome wait_quietly(waiter::Request request) {
  const system::SignalBlock signals;
  const bool goes_down = (request.services.condition == "stopped") != request.attempts.negated;
  WaitTalk talk(goes_down ? WaitingFor::down : WaitingFor::up, request.pace == waiter::Pace::line);
  return waiter::wait(std::move(request), talk);
}

}  // namespace

int wait(const Invocation& asked) {
  auto request = request_of(asked);
  if (!request) return report(request.error());
  const bool is_something = !request->targets.empty() || !request->services.names.empty();
  waiter::Outcome outcome;
  outcome.end = waiter::Outcome::End::so;  // a stack of which nothing is wanted is as it should be
  if (is_something) outcome = wait_quietly(std::move(*request));
  switch (outcome.end) {
    case waiter::Outcome::End::interrupted: return end_by(outcome.signal);
    case waiter::Outcome::End::failed: return report(outcome.failure);
    case waiter::Outcome::End::timed_out:
      std::cerr << "belfry: " + farewell(outcome.unmet) + "\n";
      return exit_code::timed_out;
    case waiter::Outcome::End::so: break;
  }
  return asked.program.empty() ? exit_code::ok : run_program(asked.program);
}

}  // namespace belfry::cli
