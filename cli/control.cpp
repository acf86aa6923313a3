// The commands that change something or wait for it: each is one request and what became of it.
#include <iostream>
#include <utility>

#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json.hpp"
#include "cli/locate.hpp"
#include "config/duration.hpp"

namespace belfry::cli {
namespace {

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
  if (asked.only) (target += mark) += "only=1";
  return target;
}

void print_done(const Reply& reply) {
  if (reply.status == 202) return;
  const std::string message = text_member(reply.body, "message");
  if (!message.empty()) std::cout << message << '\n';
}

}  // namespace

// What is refused for one name does not keep the others from it; the first refusal is the exit code.
int control(const Invocation& asked) {
  int code = exit_code::ok;
  for (const std::string& name : asked.names) {
    auto client = connect_to_daemon(asked);
    if (!client) return report(client.error());
    const auto reply = client->request("POST", command_target(asked, name));
    if (!reply) return report(reply.error());
    if (code_of(reply->status) == exit_code::ok) {
      print_done(*reply);
    } else if (const int why = refused(*reply); code == exit_code::ok) {
      code = why;
    }
  }
  return code;
}

int wait(const Invocation& asked) {
  std::string target = "/v1/wait";
  char mark = '?';
  for (const std::string& name : asked.names) {
    if (name.find("://") != std::string::npos) {
      return report({exit_code::usage,
                     "cannot wait for " + name + ": this version waits for services of a running belfry only",
                     "belfry wait --help"});
    }
    (target += std::exchange(mark, '&')) += "service=" + encoded(name);
  }
  if (!asked.condition.empty()) target += "&condition=" + asked.condition;
  if (asked.timeout) target += "&timeout=" + encoded(config::to_string(*asked.timeout));
  auto client = connect_to_daemon(asked);
  if (!client) return report(client.error());
  const auto reply = client->request("GET", target);
  if (!reply) return report(reply.error());
  return reply->status == 200 ? exit_code::ok : refused(*reply);
}

int shutdown(const Invocation& asked) {
  auto client = connect_to_daemon(asked);
  if (!client) return report(client.error());
  const auto reply = client->request("POST", "/v1/shutdown");
  if (!reply) return report(reply.error());
  if (code_of(reply->status) != exit_code::ok) return refused(*reply);
  if (!asked.no_wait) client->wait_for_end();
  return exit_code::ok;
}

}  // namespace belfry::cli
