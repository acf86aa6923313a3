#include "daemon/why/help.hpp"

#include "daemon/why/sentence.hpp"

namespace belfry::daemon {

namespace {

using config::ServiceType;

std::string quoted(const std::string& command) { return "`" + command + "`"; }

std::string start_command(const ServiceFacts& culprit) { return quoted("belfry start " + culprit.name); }

NextLine of_a_start(const ServiceFacts& culprit) {
  if (!culprit.hook.empty() && !culprit.next_in)
    return {"nothing, until its " + culprit.hook + " ends: no ready.timeout bounds it"};
  if (culprit.next_in)
    return {
        "the start of " + culprit.name + " has failed in " + span_text(*culprit.next_in) + " (ready.timeout)",
        culprit.next_in};
  switch (culprit.missing) {
    case Missing::answer:
    case Missing::command:
      return {culprit.name + " is asked again and again, without an end (no ready.timeout)"};
    default: return {culprit.name + " is waited for, without an end (no ready.timeout)"};
  }
}

std::string help_with_start(const ServiceFacts& culprit) {
  switch (culprit.missing) {
    case Missing::message:
      return "it has to send READY=1 to $NOTIFY_SOCKET itself (sd_notify); one that cannot gets another "
             "probe, such "
             "as `ready: {port: …}`";
    case Missing::newline:
      return "it has to write to that descriptor a newline, or with `dialect: dinit` any byte";
    case Missing::line: return "compare the lines that it writes with the expression of `ready: {log: …}`";
    case Missing::listener:
      return "see where it listens" +
             (culprit.pid ? ": " + quoted("ss -lntup | grep pid=" + std::to_string(*culprit.pid))
                          : std::string()) +
             "; the port or path in `ready` and its own configuration must be the same";
    case Missing::answer: return "ask as belfry does: " + quoted("belfry wait") + " takes the same target";
    case Missing::file: return "see who is to make the file, and that it is the path in `ready: {file: …}`";
    case Missing::command: return "run the command of `ready: {exec: …}` by hand";
    case Missing::hook:
      return quoted("belfry kill " + culprit.name) + " ends the hook, and the start with it";
    case Missing::nothing: break;
  }
  return {};
}

void add_cure_of_port(const ServiceFacts& culprit, std::vector<std::string>& help) {
  const std::string port = std::to_string(culprit.taken_port);
  if (culprit.taken_by > 0)
    help.push_back("end whoever has the port (" + quoted("kill " + std::to_string(culprit.taken_by)) +
                   "), or give " + culprit.name + " another one");
  else
    help.push_back("see who has the port (" + quoted("ss -lnp 'sport = :" + port + "'") + "), or give " +
                   culprit.name + " another one");
}

std::vector<std::string> help_with_failure(const ServiceFacts& culprit) {
  std::vector<std::string> help;
  if (culprit.taken_port != 0) add_cure_of_port(culprit, help);
  switch (culprit.reason) {
    case Reason::cannot_start:
      help.push_back(
          "correct it: the file (" + quoted("belfry check") +
          " says this before a start; the file is read when belfry starts), or the machine; then " +
          start_command(culprit));
      return help;
    case Reason::not_in_time:
      help.push_back(
          "find out what it waits for (its lines, its status), or give it a longer `ready: {timeout: …}`");
      break;
    case Reason::edge_timeout: help.push_back("give the edge a longer `timeout`, or none"); break;
    case Reason::hook:
      help.push_back("run the hook by hand, as the user of the service and in its directory");
      break;
    case Reason::not_alive:
      help.push_back("ask it as `live` does; `failure_threshold` and `timeout` say how patient that is");
      break;
    case Reason::silent: help.push_back("it has to say WATCHDOG=1 more often than `watchdog` says"); break;
    case Reason::unkillable: help.push_back("see what the process hangs in: /proc/PID/stack, dmesg"); break;
    default: break;
  }
  if (culprit.gave_up_after > 0) help.push_back("`restart: {limit: …}` says after how many it gives up");
  help.push_back(start_command(culprit) +
                 (culprit.state == State::backoff ? " tries it at once" : " tries it again"));
  return help;
}

}  // namespace

std::vector<NextLine> what_comes_next(const ServiceFacts& culprit, const WaitFacts* via) {
  std::vector<NextLine> next;
  if (culprit.due_in && is_settled(culprit.state) && culprit.state != State::blocked)
    return {
        {culprit.name + " runs by itself in " + span_text(*culprit.due_in) + " (" + culprit.schedule + ")",
         culprit.due_in}};
  const bool external = culprit.type == ServiceType::external;
  switch (culprit.state) {
    case State::backoff:
      if (culprit.next_in)
        next.push_back({culprit.name + " starts again in " + span_text(*culprit.next_in), culprit.next_in});
      break;
    case State::failed:
      next.push_back({"nothing by itself: " + culprit.name + " has failed for good"});
      break;
    case State::inactive: next.push_back({"nothing, until somebody starts " + culprit.name}); break;
    case State::completed:
      next.push_back({"nothing, until somebody starts " + culprit.name + " again"});
      break;
    case State::stopping:
      if (culprit.was_killed)
        next.push_back({"SIGKILL has been sent, and is sent again"});
      else if (culprit.next_in)
        next.push_back({culprit.name + " is killed in " + span_text(*culprit.next_in), culprit.next_in});
      if (culprit.comes_again) next.push_back({"then it starts again"});
      break;
    case State::starting:
      if (culprit.is_remote)
        next.push_back({"etcd tells as soon as another host has published it"});
      else
        next.push_back(external ? NextLine{culprit.name + " is asked again and again"} : of_a_start(culprit));
      break;
    case State::unready: next.push_back({culprit.name + " is asked again, and runs on meanwhile"}); break;
    case State::ready:
      if (via != nullptr && via->condition == "stopped")
        next.push_back({"nothing, until " + culprit.name + " ends or somebody stops it"});
      else if (via != nullptr && via->condition == "completed")
        next.push_back({"nothing, until " + culprit.name + " ends"});
      break;
    case State::waiting:
    case State::blocked: break;
  }
  return next;
}

std::vector<std::string> what_would_help(const ServiceFacts& culprit, const WaitFacts* via) {
  if (culprit.is_remote && culprit.state != State::inactive)
    return {
        "`belfry status --cluster` shows who has published what; `belfry why` on the host that is missing "
        "says "
        "why it is not ready there"};
  if (culprit.type == ServiceType::external && culprit.state != State::inactive)
    return {"belfry does not run " + culprit.name + ": see where it runs, and that its address is right"};
  switch (culprit.state) {
    case State::failed:
    case State::backoff: return help_with_failure(culprit);
    case State::inactive:
      if (culprit.reason == Reason::not_due) return {start_command(culprit) + " runs it now"};
      if (culprit.reason == Reason::not_enabled)
        return {start_command(culprit) + ", or start belfry with its profile (`--profile`)"};
      return {start_command(culprit)};
    case State::completed:
      if (via != nullptr && via->condition == "stopped") return {};
      return {"wait for `" + culprit.name + ": completed` instead, if it is to end; " +
              start_command(culprit) + " runs it once more"};
    case State::stopping: return {quoted("belfry kill " + culprit.name) + " ends it now"};
    case State::starting:
      if (const std::string help = help_with_start(culprit); !help.empty()) return {help};
      return {};
    case State::ready:
      if (via != nullptr && via->condition == "stopped") return {quoted("belfry stop " + culprit.name)};
      return {};
    case State::unready:
    case State::waiting:
    case State::blocked: break;
  }
  return {};
}

}  // namespace belfry::daemon
