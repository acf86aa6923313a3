// The commands that change something or wait for it: each is one request and what became of it.
#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

#include "cli/commands.hpp"
#include "cli/freshness.hpp"
#include "cli/locate.hpp"
#include "cli/progress.hpp"
#include "cli/waiting.hpp"
#include "client/json.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using client::read_status;
using client::text_member;
using client::WaitSchedule;

int code_of(int status) {
  switch (status) {
    case 200:
    case 202: return exit_code::ok;
    case 400:
    case 404: return exit_code::usage;
    case 403: return exit_code::not_permitted;
    case 504: return exit_code::timed_out;
    default: return exit_code::unavailable;
  }
}

std::optional<StackStatus> look(const Invocation& asked) {
  auto client = connect_to_daemon(asked);
  if (!client) return std::nullopt;
  Waiting briefly{WaitSchedule(Clock::now(), std::chrono::seconds(1)), {}};
  const auto reply = client->request("GET", "/v1/services", &briefly);
  return reply && reply->status == 200 ? read_status(reply->body) : std::nullopt;
}

int refused(const Reply& reply) {
  std::string next_step;
  if (reply.status == 404) next_step = "belfry status shows all services";
  if (reply.status == 424) next_step = "belfry status shows who is to blame";
  return report({code_of(reply.status), detail_of(reply), next_step});
}

std::string command_target(const Invocation& asked, const std::string& name) {
  std::string target = "/v1/services/" + encoded(name) + "/" + asked.command;
  char mark = '?';
  if (asked.no_wait) (target += std::exchange(mark, '&')) += "wait=0";
  if (asked.only) (target += std::exchange(mark, '&')) += "only=1";
  if (asked.rolling) (target += mark) += "rolling=1";
  return target;
}

void print_done(const Reply& reply, bool as_json) {
  if (as_json) {
    std::cout << text::visible_json(reply.body);
    if (!reply.body.ends_with('\n')) std::cout << '\n';
    return;
  }
  if (reply.status == 202) return;
  const std::string message = text_member(reply.body, "message");
  if (!message.empty()) std::cout << text::visible(message) << '\n';
}

// Asked on a connection of its own: the first one is busy with the waiting.
std::string who_is_waited_for(const Invocation& asked, const std::vector<std::string>& names,
                              WaitingFor what) {
  return describe_wait(look(asked).value_or(StackStatus()), names, what);
}

// Reminds on standard error; `timeout` counts from now.
Waiting patiently(const Invocation& asked, std::optional<Duration> timeout,
                  const std::vector<std::string>& names, WaitingFor what, Progress& progress) {
  const auto remind = [&asked, names, what, &progress] {
    progress.show("still waiting for " + text::visible(who_is_waited_for(asked, names, what)));
  };
  return {progress.schedule(timeout), remind};
}

// Who restarts a service may mean to use what the file says by now.
void warn_of_stale_file(const Invocation& asked) {
  if (asked.command != "restart" || asked.json) return;
  const auto status = look(asked);
  const std::string hint = status ? stale_hint(*status) : "";
  if (!hint.empty()) std::cerr << "belfry: " << hint;
}

// Of the one timeout of a command with several names.
std::optional<Duration> left_of(const Invocation& asked, TimePoint began) {
  if (!asked.timeout) return std::nullopt;
  return std::max(Duration::zero(), *asked.timeout - (Clock::now() - began));
}

WaitingFor aim_of(std::string_view command) {
  return command == "stop" || command == "kill" ? WaitingFor::down : WaitingFor::up;
}

// Whoever gives up wants to know on whom.
int gave_up(Failure failure, const Invocation& asked, const std::vector<std::string>& names,
            WaitingFor what) {
  if (failure.exit_code == exit_code::timed_out) {
    failure.message = "cannot wait any longer: " + who_is_waited_for(asked, names, what);
    failure.next_step = "it goes on without you: belfry status";
  }
  return report(failure);
}

}  // namespace

// What is refused for one name does not keep the others from it; the first refusal is the exit code.
int control(const Invocation& asked) {
  int code = exit_code::ok;
  const WaitingFor what = aim_of(asked.command);
  const TimePoint began = Clock::now();
  Progress progress;
  for (const std::string& name : asked.names) {
    auto client = connect_to_daemon(asked);
    if (!client) return report(client.error());
    Waiting waiting = patiently(asked, left_of(asked, began), {name}, what, progress);
    const auto reply = client->request("POST", command_target(asked, name), &waiting);
    progress.clear();
    if (!reply) return gave_up(reply.error(), asked, {name}, what);
    if (code_of(reply->status) == exit_code::ok) {
      print_done(*reply, asked.json);
    } else if (const int why = refused(*reply); code == exit_code::ok) {
      code = why;
    }
  }
  warn_of_stale_file(asked);
  return code;
}

int shutdown(const Invocation& asked) {
  auto client = connect_to_daemon(asked);
  if (!client) return report(client.error());
  Progress progress;
  Waiting waiting = patiently(asked, asked.timeout, {}, WaitingFor::down, progress);
  const auto reply = client->request("POST", "/v1/shutdown", &waiting);
  if (!reply) return gave_up(reply.error(), asked, {}, WaitingFor::down);
  if (code_of(reply->status) != exit_code::ok) return refused(*reply);
  if (asked.no_wait) return exit_code::ok;
  const auto ended = client->wait_for_end(waiting);
  progress.clear();
  return ended ? exit_code::ok : gave_up(ended.error(), asked, {}, WaitingFor::down);
}

}  // namespace belfry::cli
