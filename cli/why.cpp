// belfry why: why a service is not up, or why the stack is not ready.
#include <unistd.h>

#include <iostream>
#include <utility>

#include "cli/commands.hpp"
#include "cli/locate.hpp"
#include "cli/terminal.hpp"
#include "client/json.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using client::Waiting;
using client::WaitSchedule;

// One request each; a daemon that is stopped, or very busy, is waited for, but not in silence.
Expected<Reply> ask(const Invocation& asked, const std::string& target) {
  auto client = connect_to_daemon(asked);
  if (!client) return std::unexpected(client.error());
  Waiting waiting{WaitSchedule(Clock::now()),
                  [] { std::cerr << "belfry: still waiting for an answer of the daemon\n"; }};
  return client->request("GET", target, &waiting);
}

// The first line is what it is about.
void print(const std::string& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string::npos || !terminal_at(STDOUT_FILENO).colour)
    std::cout << text;
  else
    std::cout << "\033[1m" << text.substr(0, end) << "\033[0m" << text.substr(end);
}

int explain(const Invocation& asked, const std::string& name) {
  std::string target = name.empty() ? "/v1/why" : "/v1/why/" + encoded(name);
  if (!asked.json) target += "?format=text";
  const auto reply = ask(asked, target);
  if (!reply) return report(reply.error());
  if (reply->status == 404 && !name.empty())
    return report({exit_code::usage, detail_of(*reply), "belfry status shows all of them"});
  if (reply->status != 200)
    return report({reply->status == 403 ? exit_code::not_permitted : exit_code::unavailable,
                   "cannot explain: " + detail_of(*reply), ""});
  if (asked.json)
    std::cout << text::visible_json(reply->body);
  else
    print(text::visible_lines(reply->body));
  return exit_code::ok;
}

}  // namespace

int why(const Invocation& asked) {
  if (asked.names.empty()) return explain(asked, "");
  bool is_first = true;
  for (const std::string& name : asked.names) {
    if (!std::exchange(is_first, false) && !asked.json) std::cout << '\n';
    if (const int code = explain(asked, name); code != exit_code::ok) return code;
  }
  return exit_code::ok;
}

}  // namespace belfry::cli
