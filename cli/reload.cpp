// `belfry reload`: without a name the file of the stack is read again, with names services read theirs.
#include <iostream>

#include "cli/commands.hpp"
#include "cli/locate.hpp"
#include "cli/progress.hpp"
#include "cli/waiting.hpp"
#include "client/json.hpp"
#include "client/reload.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using client::ReloadKey;
using client::ReloadReply;

std::string text_of(const ReloadKey& key) {
  std::string text = key.key + ": ";
  if (key.before.empty())
    text += key.after + " (new)";
  else if (key.after.empty())
    text += key.before + " (gone)";
  else if (key.before == key.after)
    text += key.after + " (another one)";
  else
    text += key.before + " → " + key.after;
  return text + "   [" + key.effect + "]";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

// What has changed, a line each, and then whom it touches.
std::string difference_of(const ReloadReply& reply) {
  std::string out;
  for (const ReloadKey& key : reply.stack) out += "the stack: " + text_of(key) + "\n";
  for (const client::ReloadService& one : reply.services) {
    if (one.keys.empty()) out += one.name + ": " + one.change + "\n";
    for (const ReloadKey& key : one.keys) out += one.name + ": " + text_of(key) + "\n";
  }
  if (!reply.stops.empty()) out += "would stop: " + joined(reply.stops) + "\n";
  if (!reply.starts.empty()) out += "would start: " + joined(reply.starts) + "\n";
  if (!reply.rolls.empty()) out += "would replace one after the other: " + joined(reply.rolls) + "\n";
  if (reply.stops.empty() && reply.starts.empty() && reply.rolls.empty()) out += "would touch nobody\n";
  return out;
}

int code_of(int status) {
  switch (status) {
    case 200:
    case 202: return exit_code::ok;
    case 403: return exit_code::not_permitted;
    case 404: return exit_code::usage;  // of an older belfry
    case 409: return exit_code::bad_config;
    case 504: return exit_code::timed_out;
    default: return exit_code::unavailable;
  }
}

// The mistakes of a file are several lines.
int refused(const client::Reply& reply) {
  std::cerr << "belfry: " << text::visible_lines(client::detail_of(reply)) << '\n';
  return code_of(reply.status);
}

void print(const client::Reply& reply, const Invocation& asked) {
  if (asked.json) {
    std::cout << text::visible_json(reply.body);
    if (!reply.body.ends_with('\n')) std::cout << '\n';
    return;
  }
  if (reply.status == 202) return;
  const auto read = client::read_reload(reply.body);
  if (!read) return;
  const bool nothing = read->services.empty() && read->stack.empty();
  std::cout << text::visible_lines(read->dry_run && !nothing ? difference_of(*read) : read->message + "\n");
}

int reload_file(const Invocation& asked) {
  auto client = connect_to_daemon(asked);
  if (!client) return report(client.error());
  Progress progress;
  const auto remind = [&progress] { progress.show("still waiting for the reload"); };
  Waiting waiting{progress.schedule(asked.timeout), remind};
  std::string target = "/v1/reload";
  if (asked.dry_run) target += "?dry_run=1";
  if (asked.no_wait && !asked.dry_run) target += "?wait=0";
  const auto reply = client->request("POST", target, &waiting);
  progress.clear();
  if (!reply) {
    Failure failure = reply.error();
    if (failure.exit_code == exit_code::timed_out) {
      failure.message = "cannot wait any longer for the reload";
      failure.next_step = "it goes on without you: belfry status";
    }
    return report(failure);
  }
  if (code_of(reply->status) != exit_code::ok) return refused(*reply);
  print(*reply, asked);
  return exit_code::ok;
}

}  // namespace

int reload(const Invocation& asked) { return asked.names.empty() ? reload_file(asked) : control(asked); }

}  // namespace belfry::cli
