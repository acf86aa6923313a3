// belfry status: the table, or the JSON behind it.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "cli/commands.hpp"
#include "cli/freshness.hpp"
#include "cli/locate.hpp"
#include "cli/render.hpp"
#include "cli/watch.hpp"
#include "client/event_stream.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"
#include "text/suggest.hpp"

namespace belfry::cli {
namespace {

using client::Waiting;
using client::WaitSchedule;

Failure unknown_service(const std::string& name, const StackStatus& status) {
  std::vector<std::string_view> known;
  known.reserve(status.services.size());
  for (const ServiceStatus& service : status.services) known.push_back(service.name);
  const std::string_view near = text::nearest(name, known);
  std::string message = "cannot find a service named " + name;
  if (!near.empty()) message += "; did you mean " + std::string(near) + "?";
  return {exit_code::usage, std::move(message), "belfry status shows all of them"};
}

// Keeps the services that were asked for, in the order of the file.
Expected<void> select(StackStatus& status, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  for (const std::string& name : names) {
    if (std::ranges::none_of(status.services, [&](const ServiceStatus& s) { return s.name == name; })) {
      return std::unexpected(unknown_service(name, status));
    }
  }
  std::erase_if(status.services,
                [&](const ServiceStatus& s) { return std::ranges::find(names, s.name) == names.end(); });
  return {};
}

// A daemon that is stopped, or very busy, is waited for, but not in silence.
Waiting until_it_answers() {
  return {WaitSchedule(Clock::now()),
          [] { std::cerr << "belfry: still waiting for an answer of the daemon\n"; }};
}

int print_one_as_json(Client& client, const std::string& name) {
  Waiting waiting = until_it_answers();
  const auto reply = client.request("GET", "/v1/services/" + encoded(name), &waiting);
  if (!reply) return report(reply.error());
  if (reply->status == 404)
    return report({exit_code::usage, detail_of(*reply), "belfry status shows all of them"});
  std::cout << text::visible_json(reply->body);
  return exit_code::ok;
}

// Of those who were asked for by name. Whoever has gone from the stack meanwhile has none.
void add_past_runs(Client& client, StackStatus& status) {
  for (ServiceStatus& service : status.services) {
    Waiting waiting = until_it_answers();
    const auto reply = client.request("GET", "/v1/services/" + encoded(service.name), &waiting);
    if (reply && reply->status == 200) service.past_runs = client::read_past_runs(reply->body);
  }
}

// What it has written last; empty: nothing that is kept.
std::string last_line_of(const std::string& socket, const std::string& name) {
  auto client = Client::connect(socket);
  if (!client) return {};
  std::string line;
  client::EventReader reader;
  const auto ended =
      client->follow("/v1/logs?follow=0&n=1&service=" + encoded(name), {}, [&](std::string_view bytes) {
        for (const client::StreamMessage& message : reader.take(bytes))
          if (message.type.empty()) line = client::text_member(message.data, "line");
        return true;
      });
  return ended && ended->status == 200 ? line : std::string();
}

// Below the table, of those in trouble: the reason is more often there than in how it ended.
void print_last_lines(const std::string& socket, const StackStatus& status) {
  constexpr std::size_t most = 5;
  std::size_t shown = 0;
  for (const ServiceStatus& service : status.services) {
    const bool in_trouble = !service.ready && (service.state == "failed" || service.state == "backoff" ||
                                               service.state == "unready" || service.state == "starting");
    if (!in_trouble) continue;
    const std::string line = last_line_of(socket, service.name);
    if (line.empty()) continue;
    std::cout << text::visible(service.name) << " | " << text::visible(line) << "\n";
    if (++shown == most) return;
  }
}

// One that is not wanted is not waited for, unless it was asked for by name.
bool all_are_ready(const StackStatus& status, const std::vector<std::string>& names) {
  if (names.empty()) return status.ready;
  return std::ranges::all_of(status.services, &ServiceStatus::ready);
}

int print_cluster(Client& client, bool as_json) {
  Waiting waiting = until_it_answers();
  const auto reply = client.request("GET", as_json ? "/v1/cluster" : "/v1/cluster?format=text", &waiting);
  if (!reply) return report(reply.error());
  if (reply->status == 404) return report({exit_code::usage, detail_of(*reply), ""});
  if (reply->status != 200)
    return report({reply->status == 403 ? exit_code::not_permitted : exit_code::unavailable,
                   "cannot read the cluster: " + detail_of(*reply), ""});
  std::cout << (as_json ? text::visible_json(reply->body) : text::visible_lines(reply->body));
  return exit_code::ok;
}

}  // namespace

int status(const Invocation& asked) {
  auto client = connect_to_daemon(asked);
  if (!client) return report(client.error());
  if (asked.cluster && (asked.live || asked.ready || !asked.names.empty()))
    return report({exit_code::usage,
                   "cannot show the cluster with names, --watch or --ready: it is one answer",
                   "belfry status --cluster"});
  if (asked.cluster) return print_cluster(*client, asked.json);
  if (asked.live && (asked.json || asked.ready))
    return report({exit_code::usage, "cannot go on looking with --json or --ready: they are one answer",
                   "belfry events -f --json tells of each change"});
  if (asked.json && !asked.ready && asked.names.size() == 1)
    return print_one_as_json(*client, asked.names.front());
  Waiting waiting = until_it_answers();
  const auto reply = client->request("GET", "/v1/services", &waiting);
  if (!reply) return report(reply.error());
  auto status = read_status(reply->body);
  if (reply->status != 200 || !status) {
    return report({reply->status == 403 ? exit_code::not_permitted : exit_code::unavailable,
                   "cannot read the status: " + detail_of(*reply), ""});
  }
  if (auto selected = select(*status, asked.names); !selected) return report(selected.error());
  if (asked.live) {
    auto stream = Client::connect(client->path());
    if (!stream) return report(stream.error());
    return watch(std::move(*stream), {.services = asked.names, .with_events = false, .may_stop = false});
  }
  status->detailed = !asked.names.empty();
  if (status->detailed && !asked.json) add_past_runs(*client, *status);
  std::cout << (asked.json ? text::visible_json(reply->body)
                           : render_status(*status, terminal_at(STDOUT_FILENO)));
  if (const std::string hint = stale_hint(*status); !hint.empty() && !asked.json) std::cout << "\n" << hint;
  if (asked.ready && !asked.json) print_last_lines(client->path(), *status);
  return asked.ready && !all_are_ready(*status, asked.names) ? 1 : exit_code::ok;
}

}  // namespace belfry::cli
