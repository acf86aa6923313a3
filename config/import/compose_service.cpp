#include "config/import/compose_service.hpp"

#include <algorithm>
#include <array>

#include "config/decode.hpp"
#include "config/json.hpp"

namespace belfry::config {
namespace {

// What popular images run when the file does not say; to be checked by a person.
std::string_view command_of_image(std::string_view image) {
  image = image.substr(0, image.find_first_of(":@"));
  if (auto const slash = image.rfind('/'); slash != std::string_view::npos) image.remove_prefix(slash + 1);
  constexpr auto known = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"postgres", "[postgres, -D, /var/lib/postgresql/data]"},
       {"redis", "[redis-server]"},
       {"valkey", "[valkey-server]"},
       {"nginx", "[nginx, -g, \"daemon off;\"]"},
       {"mysql", "[mysqld]"},
       {"mariadb", "[mariadbd]"},
       {"memcached", "[memcached]"},
       {"rabbitmq", "[rabbitmq-server]"},
       {"mongo", "[mongod]"},
       {"caddy", "[caddy, run]"},
       {"traefik", "[traefik]"},
       {"minio", "[minio, server, /data]"}});
  for (auto const& [name, command] : known)
    if (name == image) return command;
  return {};
}

}  // namespace

ServiceWriter ComposeService::run() {
  if (oneshot_) out_.key("type", "oneshot");
  command();
  for (Entry const& entry : node_.entries()) one(entry.key->text(), entry);
  readiness();
  restart();
  stop();
  cgroup();
  return std::move(out_);
}

Node const* ComposeService::find(std::string_view name) const {
  Node const* const found = node_.find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

void ComposeService::left(Entry const& entry, std::string why) {
  carrier_.left(*entry.key, "`" + std::string(entry.key->text()) + "` of " + title(), std::move(why));
  out_.comment("not carried over: " + std::string(entry.key->text()) + " (line " +
               std::to_string(entry.key->line) + ")");
}

std::vector<std::string> ComposeService::words(Node const& node) {
  return node.is_scalar() ? split_words(node.text()).words : Carrier::texts(node);
}

void ComposeService::command() {
  std::vector<std::string> all;
  for (std::string_view const name : {"entrypoint", "command"})
    if (Node const* const part = find(name))
      for (std::string& word : words(*part)) all.push_back(std::move(word));
  if (!all.empty()) return out_.key("command", yaml_list(all));
  if (find("extends") != nullptr) return;
  Node const* const image = find("image");
  std::string_view const guess = image == nullptr ? std::string_view() : command_of_image(image->text());
  out_.comment(image == nullptr ? "decide: what the image built here runs"
                                : "decide: what the image " + std::string(image->text()) + " runs");
  out_.key("command",
           guess.empty() ? yaml_list({"/path/to/" + std::string(out_.name())}) : std::string(guess));
  carrier_.left(key_, "the command of " + title(), "the image brought it: write it into the file");
}

void ComposeService::one(std::string_view name, Entry const& entry) {
  Node const& value = *entry.value;
  if (name.starts_with("x-") || value.is_null() || handled_elsewhere(name)) return;
  if (name == "environment") return out_.mapping("environment", Carrier::pairs(value));
  if (name == "labels") return out_.mapping("labels", Carrier::pairs(value));
  if (name == "env_file") return env_file(value);
  if (name == "working_dir") return out_.key("working_dir", yaml_text(value.text()));
  if (name == "user") return out_.key("user", json_string(value.text()));
  if (name == "profiles") return out_.key("profiles", yaml_list(Carrier::texts(value)));
  if (name == "depends_on") return depends_on(value);
  if (name == "extends") return extends(entry);
  if (name == "scale") return replicas(value);
  if (name == "ulimits") return ulimits(value);
  if (name == "oom_score_adj") return out_.key("oom_score_adj", yaml_value(value.text()));
  if (name == "tty" && value.text() == "true") return out_.key("tty", "true");
  if (name == "deploy") return deploy(value);
  if (name == "security_opt") return security(entry);
  left(entry, reason(name));
}

bool ComposeService::handled_elsewhere(std::string_view name) {
  constexpr auto names = std::to_array<std::string_view>(
      {"command", "entrypoint", "healthcheck", "ports", "restart", "stop_signal", "stop_grace_period",
       "mem_limit", "cpus", "pids_limit", "init", "container_name", "tty", "stdin_open", "pull_policy",
       "platform", "attach"});
  return std::ranges::find(names, name) != names.end() && name != "tty";
}

std::string ComposeService::reason(std::string_view name) {
  if (name == "image" || name == "build")
    return "belfry runs programs of the host, not images: install what the image held";
  if (name == "volumes" || name == "tmpfs" || name == "volumes_from")
    return "a service sees the host's files: adapt its paths";
  if (name == "networks" || name == "network_mode" || name == "links" || name == "extra_hosts" ||
      name == "dns" || name == "hostname" || name == "expose")
    return "services share the host's network: replace the names of services in addresses by 127.0.0.1";
  if (name == "secrets" || name == "configs")
    return "write secrets: {VARIABLE: FILE}, or read the file from where it lies";
  if (name == "logging") return "write log: {file: PATH, max_size: 10MiB}";
  if (name == "privileged" || name.starts_with("cap_") || name == "devices")
    return "a service has the rights of its user";
  return "belfry has no counterpart";
}

void ComposeService::replicas(Node const& value) {
  if (value.text() != "1") out_.key("replicas", yaml_value(value.text()));
}

void ComposeService::env_file(Node const& value) {
  std::string out = "[";
  auto const add = [&](Node const& item) {
    if (out.size() > 1) out += ", ";
    Node const* const required = item.find("required");
    Node const* const path = item.find("path");
    if (path != nullptr)
      out += "{path: " + yaml_text(path->text()) +
             (required != nullptr ? ", required: " + yaml_value(required->text()) : "") + "}";
    else
      out += yaml_text(item.text());
  };
  if (value.is_sequence())
    for (Node const* item : value.items()) add(*item);
  else
    add(value);
  out_.key("env_file", out + "]");
}

void ComposeService::depends_on(Node const& value) {
  std::vector<std::string> entries;
  for (Node const* item : value.items()) entries.push_back(service_key(item->text()) + ": started");
  for (Entry const& entry : value.entries()) {
    Node const* const condition = entry.value->find("condition");
    Node const* const required = entry.value->find("required");
    Node const* const restart = entry.value->find("restart");
    std::string word = condition == nullptr ? "started" : std::string(condition->text());
    auto const known = condition_named(word);
    word = known ? std::string(name_of(*known)) : yaml_text(word);
    bool const optional = required != nullptr && required->text() == "false",
               lost = restart != nullptr && restart->text() == "true";
    std::string line = service_key(entry.key->text()) + ": ";
    line += !optional && !lost ? word
                               : "{condition: " + word + (optional ? ", required: false" : "") +
                                     (lost ? ", on_loss: restart" : "") + "}";
    entries.push_back(std::move(line));
  }
  out_.mapping("depends_on", entries);
}

void ComposeService::extends(Entry const& entry) {
  Node const& value = *entry.value;
  Node const* const service = value.is_mapping() ? value.find("service") : &value;
  if (value.find("file") != nullptr || service == nullptr)
    return left(entry, "the other file is not read: import it as well and pass both with -c");
  out_.key("extends", service_key(service->text()));
}

void ComposeService::ulimits(Node const& value) {
  std::vector<std::string> entries;
  for (Entry const& entry : value.entries()) {
    auto const limit = [](Node const& n) {
      return n.text() == "-1" ? std::string("unlimited") : yaml_value(n.text());
    };
    Node const* const soft = entry.value->find("soft");
    Node const* const hard = entry.value->find("hard");
    std::string const name = yaml_text(entry.key->text());
    if (soft != nullptr && hard != nullptr)
      entries.push_back(name + ": {soft: " + limit(*soft) + ", hard: " + limit(*hard) + "}");
    else if (entry.value->is_scalar())
      entries.push_back(name + ": " + limit(*entry.value));
  }
  out_.mapping("rlimits", entries);
}

void ComposeService::deploy(Node const& value) {
  for (Entry const& entry : value.entries()) {
    std::string_view const name = entry.key->text();
    if (name == "replicas")
      replicas(*entry.value);
    else if (name == "resources")
      limits_ = entry.value->find("limits");
    else if (name == "restart_policy")
      policy_ = entry.value;
    else if (name != "mode" || entry.value->text() != "replicated")
      left(entry, "it concerns a cluster");
  }
}

void ComposeService::security(Entry const& entry) {
  for (std::string const& option : Carrier::texts(*entry.value)) {
    if (option == "no-new-privileges:true" || option == "no-new-privileges")
      out_.key("no_new_privileges", "true");
    else
      left(entry, "belfry has no counterpart");
  }
}

}  // namespace belfry::config
