// What a compose file says of being ready, restarting, stopping and limits.
#include <algorithm>

#include "config/import/compose_service.hpp"

namespace belfry::config {
namespace {

// `8080` of `127.0.0.1:80:8080/tcp`; colons inside `${...}` do not separate.
std::string container_port(std::string_view text) {
  if (text.ends_with("/tcp") || text.ends_with("/udp")) text.remove_suffix(4);
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
    if (text[i] == ':' && depth == 0) start = i + 1;
  }
  return std::string(text.substr(start));
}

}  // namespace

void ComposeService::cgroup() {
  std::vector<std::string> entries;
  auto const first = [&](std::string_view own, std::string_view limit) -> Node const* {
    if (Node const* const found = find(own)) return found;
    return limits_ == nullptr ? nullptr : limits_->find(limit);
  };
  if (Node const* n = first("mem_limit", "memory")) entries.push_back("memory_max: " + yaml_text(n->text()));
  if (Node const* n = first("cpus", "cpus")) entries.push_back("cpu_max: " + yaml_value(n->text()));
  if (Node const* n = first("pids_limit", "pids"); n != nullptr && n->text() != "-1")
    entries.push_back("pids_max: " + yaml_value(n->text()));
  out_.mapping("cgroup", entries);
}

void ComposeService::readiness() {
  if (Node const* const check = find("healthcheck"); check != nullptr && healthcheck(*check)) return;
  if (oneshot_) return;
  if (Node const* const ports = find("ports")) listening(*ports);
}

bool ComposeService::healthcheck(Node const& check) {
  Node const* const test = check.find("test");
  Node const* const disable = check.find("disable");
  if (test == nullptr || (disable != nullptr && disable->text() == "true")) return false;
  std::vector<std::string> command = Carrier::texts(*test);
  if (command.empty() || command.front() == "NONE") return false;
  if (test->is_scalar())
    command = {"sh", "-c", command.front()};
  else if (command.front() == "CMD-SHELL" && command.size() > 1)
    command = {"sh", "-c", command[1]};
  else if (command.front() == "CMD")
    command.erase(command.begin());
  if (command.empty()) return false;
  auto const value = [&](std::string_view name) {
    Node const* n = check.find(name);
    return n == nullptr ? std::string() : yaml_value(n->text());
  };
  std::string const exec = "exec: " + yaml_list(command);
  std::vector<std::string> ready{exec}, live{exec};
  if (auto const t = value("timeout"); !t.empty()) {
    ready.push_back("attempt_timeout: " + t);
    live.push_back("timeout: " + t);
  }
  if (auto const p = value("start_interval"); !p.empty()) ready.push_back("period: " + p);
  live.push_back("period: " + (value("interval").empty() ? "30s" : value("interval")));
  live.push_back("failure_threshold: " + (value("retries").empty() ? "3" : value("retries")));
  if (auto const s = value("start_period"); !s.empty()) live.push_back("initial_delay: " + s);
  out_.mapping("ready", ready);
  if (oneshot_) return true;
  out_.comment(
      "compose only marks a service unhealthy; belfry restarts it. Remove `live` if you do not want that.");
  out_.mapping("live", live);
  return true;
}

void ComposeService::listening(Node const& ports) {
  std::vector<std::string> probes;
  for (Node const* item : ports.items()) {
    Node const* const target = item->find("target");
    Node const* const protocol = item->find("protocol");
    std::string text(target != nullptr ? target->text() : item->text());
    bool const udp = text.ends_with("/udp") || (protocol != nullptr && protocol->text() == "udp");
    text = container_port(text);
    bool const number = !text.empty() && text.size() <= 5 &&
                        std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (number && !ports_.insert(udp ? "udp " + text : text).second) {
      out_.comment("decide: port " + text + " is taken by a service above; in containers both could have it");
      carrier_.left(*item, "the port `" + std::string(item->text()) + "` of " + title(),
                    "two services of one host cannot bind one port: give it another");
    } else if (number)
      probes.push_back(udp ? "{port: {udp: " + text + "}}" : "{port: " + text + "}");
    else
      carrier_.left(*item, "the port `" + std::string(item->text()) + "` of " + title(),
                    "write ready: {port: N} with the port the program binds");
  }
  if (probes.empty()) return;
  out_.comment("the port the program binds; nothing maps it to another one");
  std::string list;
  for (std::string const& probe : probes) list += (list.empty() ? "" : ", ") + probe;
  out_.key("ready", probes.size() == 1 ? probes.front() : "[" + list + "]");
}

void ComposeService::restart() {
  std::string policy = "no", limit, delay;
  if (Node const* const value = find("restart")) policy = value->text();
  if (policy_ != nullptr) {
    auto const get = [&](std::string_view name) {
      Node const* n = policy_->find(name);
      return n == nullptr ? std::string() : yaml_value(n->text());
    };
    std::string const condition = get("condition");
    policy = condition == "none" ? "no" : condition == "on-failure" ? "on-failure" : "always";
    limit = get("max_attempts");
    delay = get("delay");
  }
  if (policy.starts_with("on-failure:")) {
    limit = yaml_value(std::string_view(policy).substr(11));
    policy = "on-failure";
  }
  if (policy == "unless-stopped") policy = "always";
  if (policy != "no" && policy != "always" && policy != "on-failure") policy = yaml_text(policy);
  std::vector<std::string> entries{"policy: " + policy};
  if (!delay.empty()) entries.push_back("delay: " + delay);
  if (!limit.empty() && limit != "0") entries.push_back("limit: " + limit);
  if (entries.size() > 1) return out_.mapping("restart", entries);
  if (!(oneshot_ && policy == "no")) out_.key("restart", policy);
}

void ComposeService::stop() {
  std::vector<std::string> entries;
  if (Node const* n = find("stop_signal")) entries.push_back("signal: " + yaml_text(n->text()));
  if (Node const* n = find("stop_grace_period")) entries.push_back("timeout: " + yaml_value(n->text()));
  out_.mapping("stop", entries);
}

}  // namespace belfry::config
