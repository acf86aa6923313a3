// What a compose file says of when a service starts, is ready, starts again and stops.
#include <algorithm>
#include <array>

#include "config/import/compose_image.hpp"
#include "config/import/compose_service.hpp"
#include "config/model/enum_names.hpp"
#include "config/model/kernel_names.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// `x` of `${NAME:-x}`; else `no`.
std::string default_of(std::string_view variable) {
  const auto dash = variable.find('-');
  const bool whole = variable.starts_with("${") && variable.ends_with('}') && dash != std::string_view::npos;
  return whole ? std::string(variable.substr(dash + 1, variable.size() - dash - 2)) : "no";
}

// What a service waits for without saying `depends_on`: those whose network or files it shares.
std::vector<std::string_view> implied(std::string_view key, const Node& value) {
  std::vector<std::string_view> names;
  if (key == "network_mode" || key == "ipc" || key == "pid") {
    if (value.text().starts_with("service:")) names.push_back(value.text().substr(8));
  } else if (key == "links" || key == "volumes_from") {
    for (const Node* item : items_of(value))
      if (!item->text().starts_with("container:"))
        names.push_back(item->text().substr(0, item->text().find(':')));
  }
  return names;
}

}  // namespace

std::string ComposeService::edge(const Entry& entry) {
  const auto get = [&](std::string_view name) {
    const Node* const node = entry.value->find(name);
    return node == nullptr ? std::string_view() : node->text();
  };
  const auto known = condition_spelled(get("condition"));
  std::string word(name_of(known.value_or(Condition::started)));
  if (!known && !get("condition").empty())
    left(*entry.value, "depends_on." + std::string(entry.key->text()) + ".condition",
         "compose knows no such condition");
  const bool optional = get("required") == "false", lost = get("restart") == "true";
  if (!optional && !lost) return word;
  return "{condition: " + word + (optional ? ", required: false" : "") + (lost ? ", on_loss: restart" : "") +
         "}";
}

void ComposeService::depends_on() {
  std::vector<std::string> entries;
  std::set<std::string_view> seen;
  const auto add = [&](const Node& at, std::string_view name, const auto& condition) {
    if (!file_.names.knows(name) || name == key_.text())
      left(at, "depends_on." + std::string(name),
           name == key_.text() ? "a service cannot wait for itself" : "no such service is in this file");
    else if (seen.insert(name).second)
      entries.push_back(yaml_text(file_.names.of(name)) + ": " + condition());
  };
  const auto started = [] { return std::string("started"); };
  if (const Node* const edges = find("depends_on")) {
    if (!edges->is_mapping())
      for (const Node* item : items_of(*edges)) add(*item, item->text(), started);
    for (const Entry& entry : edges->entries()) {
      add(*entry.key, entry.key->text(), [&] { return edge(entry); });
      known_only(*entry.value, "depends_on." + std::string(entry.key->text()),
                 {"condition", "required", "restart"});
    }
  }
  for (const Entry& entry : node_.entries())
    for (const std::string_view name : implied(entry.key->text(), *entry.value))
      if (file_.names.knows(name) && name != key_.text()) add(*entry.key, name, started);
  out_.mapping("depends_on", entries);
}

void ComposeService::readiness() {
  const Node* const check = find("healthcheck");
  if ((check != nullptr && check->is_mapping() && healthcheck(*check)) || oneshot_) return unused_ports();
  if (const Node* const ports = find("ports")) {
    if (const Node* const more = find("expose"); more != nullptr && exposes_more(*more, *ports))
      left(*more, "expose", "the service is ready when it listens on what `ports` names");
    return listening(*ports, true);
  }
  if (const Node* const ports = find("expose")) return listening(*ports, false);
  if (file_.awaited_healthy.contains(key_.text())) guessed_readiness();
}

// For a service that others wait for until it is healthy, while its health check is in the image.
void ComposeService::guessed_readiness() {
  const std::string port = image_ == nullptr || image_->port == 0 ? "" : std::to_string(image_->port);
  if (!port.empty() && claim(port)) {
    out_.comment("decide: others wait for it to be healthy; this is where the image's program listens");
    return out_.key("ready", "{port: " + port + "}");
  }
  out_.comment("decide: others wait for it to be healthy, and nothing here says when it is: add `ready:`");
  file_.carrier.left(key_, "the health check", "if the image brought one, write it as `ready:`", key_.text());
}

std::string ComposeService::duration(const Node* node, std::string_view what) {
  if (node == nullptr || node->is_null()) return {};
  bool bad = false;
  std::string value = duration_value(node->text(), bad);
  if (bad || !node->is_scalar()) left(*node, what, "durations are like 250ms, 10s, 1m30s");
  return bad ? std::string() : value;
}

// The command of a health check: nothing if there shall be none, one empty word if it does not say any.
std::vector<std::string> ComposeService::tested(const Node& check) {
  const Node* const test = check.find("test");
  if (test == nullptr) return {""};
  std::vector<std::string> command = Carrier::texts(*test);
  if (command.empty() || command.front().empty()) return {""};
  if (test->is_scalar()) return {"sh", "-c", command.front()};
  if (command.front() == "NONE") return {};
  if (command.front() == "CMD-SHELL")
    return command.size() > 1 ? std::vector<std::string>{"sh", "-c", command[1]}
                              : std::vector<std::string>{""};
  if (command.front() == "CMD") command.erase(command.begin());
  return command.empty() ? std::vector<std::string>{""} : command;
}

std::string ComposeService::threshold(const Node* retries) {
  const std::string_view text = retries == nullptr ? std::string_view() : retries->text();
  const bool number = is_number(text);
  if (retries != nullptr && !retries->is_null() && !number && !text.contains('$'))
    left(*retries, "healthcheck.retries", "it is a whole number");
  const bool given = (number && text.find_first_not_of('0') != std::string_view::npos) || text.contains('$');
  return given ? yaml_value(text.substr(text.find_first_not_of('0'))) : "3";
}

bool ComposeService::healthcheck(const Node& check) {
  constexpr auto known = std::to_array<std::string_view>(
      {"test", "disable", "interval", "timeout", "retries", "start_period", "start_interval"});
  for (const Entry& entry : check.entries())
    if (std::ranges::find(known, entry.key->text()) == known.end() && !entry.key->text().starts_with("x-"))
      left(*entry.key, "healthcheck." + std::string(entry.key->text()), "belfry has no counterpart");
  const Node* const disable = check.find("disable");
  if (disable != nullptr && disable->text() == "true") return false;
  const std::vector<std::string> command = tested(check);
  if (command.empty()) return false;
  if (command.front().empty()) {
    left(check, "healthcheck", "it has no test of its own: if the image brought one, write it as `ready:`");
    return false;
  }
  if (check.find("test")->is_sequence() && is_word_for_shell(command))
    left(*check.find("test"), "healthcheck.test",
         "a `&&`, `||` or `|` of it is an argument, no shell reads it: write [CMD-SHELL, ...]");
  const std::string exec = "exec: " + yaml_list(command);
  std::vector<std::string> ready{exec}, live{exec};
  const auto time = [&](std::string_view name) {
    return duration(check.find(name), "healthcheck." + std::string(name));
  };
  const std::string timeout = time("timeout");
  ready.push_back("attempt_timeout: " + (timeout.empty() ? "30s" : timeout));
  live.push_back("timeout: " + (timeout.empty() ? "30s" : timeout));
  if (const auto p = time("start_interval"); !p.empty()) ready.push_back("period: " + p);
  const std::string interval = time("interval");
  live.push_back("period: " + (interval.empty() ? "30s" : interval));
  live.push_back("failure_threshold: " + threshold(check.find("retries")));
  if (const auto s = time("start_period"); !s.empty()) live.push_back("initial_delay: " + s);
  out_.mapping("ready", ready);
  if (oneshot_) {
    for (const std::string_view name : {"interval", "retries", "start_period"})
      if (const Node* const unused = check.find(name))
        left(*unused, "healthcheck." + std::string(name), "others wait for it to end: it is a oneshot");
    return true;
  }
  out_.comment(
      "compose only marks a service unhealthy; belfry restarts it. Remove `live` if you do not want that.");
  out_.mapping("live", live);
  return true;
}

void ComposeService::restart() {
  std::string policy(text("restart").empty() ? "no" : text("restart"));
  std::string limit, delay;
  if (policy_ != nullptr) {
    const auto get = [&](std::string_view name) {
      const Node* n = policy_->find(name);
      return n == nullptr ? std::string_view() : n->text();
    };
    if (const Node* const unused = find("restart"))
      left(*unused, "restart", "deploy.restart_policy says it as well");
    policy = get("condition") == "none" ? "no" : get("condition") == "on-failure" ? "on-failure" : "always";
    limit = get("max_attempts");
    delay = duration(policy_->find("delay"), "deploy.restart_policy.delay");
    const std::string window = duration(policy_->find("window"), "deploy.restart_policy.window");
    if (is_number(limit) && limit != "0" && !window.empty() && !window.contains('$'))
      limit += " per " + window;
  }
  if (policy.contains('$')) {
    left(*find("restart"), "restart",
         "a variable says it there, in words of compose: its default is written");
    policy = default_of(policy);
  }
  if (policy.starts_with("on-failure:")) {
    limit = policy.substr(11);
    policy = "on-failure";
  }
  if (policy == "unless-stopped" || policy == "true") policy = "always";
  if (policy == "false") policy = "no";
  if (policy != "no" && policy != "always" && policy != "on-failure") {
    left(*find("restart"), "restart", "compose knows no, always, on-failure and unless-stopped");
    policy = "no";
  }
  if (!limit.empty() && !limit.contains(' ') && !limit.contains('$') && !is_number(limit)) {
    left(policy_ == nullptr ? *find("restart") : *policy_, "the limit of restarts", "it is a number");
    limit.clear();
  }
  if (policy == "no") delay = limit = "";
  std::vector<std::string> entries{"policy: " + policy};
  if (!delay.empty()) entries.push_back("delay: " + delay);
  if (!limit.empty() && limit != "0")
    entries.push_back("limit: " + (limit.contains(' ') ? limit : yaml_value(limit)));
  if (entries.size() > 1) return out_.mapping("restart", entries);
  if (!(oneshot_ && policy == "no")) out_.key("restart", policy);
}

void ComposeService::stop() {
  std::vector<std::string> entries;
  const std::string_view signal = text("stop_signal");
  if (signal.contains('$') || signal_number(signal))
    entries.push_back("signal: " + yaml_value(signal));
  else if (!signal.empty())
    left(*find("stop_signal"), "stop_signal", "there is no such signal");
  if (const auto t = duration(find("stop_grace_period"), "stop_grace_period"); !t.empty())
    entries.push_back("timeout: " + t);
  out_.mapping("stop", entries);
}

}  // namespace belfry::config
