#include <algorithm>
#include <array>
#include <unordered_map>

#include "config/decode.hpp"
#include "config/import/import.hpp"
#include "config/import/writer.hpp"
#include "config/json.hpp"
#include "config/words.hpp"

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

class ComposeService {
 public:
  ComposeService(Carrier& carrier, Node const& key, Node const& node, bool oneshot)
      : carrier_(carrier), node_(node), out_(service_name(key.text())), key_(key), oneshot_(oneshot) {}

  ServiceWriter run() {
    if (oneshot_) out_.key("type", "oneshot");
    command();
    for (Entry const& entry : node_.entries()) one(entry.key->text(), entry);
    readiness();
    restart();
    stop();
    cgroup();
    return std::move(out_);
  }

 private:
  Node const* find(std::string_view name) const {
    Node const* const found = node_.find(name);
    return found == nullptr || found->is_null() ? nullptr : found;
  }
  std::string title() const { return "`" + std::string(key_.text()) + "`"; }
  void left(Entry const& entry, std::string why) {
    carrier_.left(*entry.key, "`" + std::string(entry.key->text()) + "` of " + title(), std::move(why));
    out_.comment("not carried over: " + std::string(entry.key->text()) + " (line " +
                 std::to_string(entry.key->line) + ")");
  }

  static std::vector<std::string> words(Node const& node) {
    return node.is_scalar() ? split_words(node.text()).words : Carrier::texts(node);
  }

  void command() {
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

  void one(std::string_view name, Entry const& entry) {
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

  static bool handled_elsewhere(std::string_view name) {
    constexpr auto names = std::to_array<std::string_view>(
        {"command", "entrypoint", "healthcheck", "ports", "restart", "stop_signal", "stop_grace_period",
         "mem_limit", "cpus", "pids_limit", "init", "container_name", "tty", "stdin_open", "pull_policy",
         "platform", "attach"});
    return std::ranges::find(names, name) != names.end() && name != "tty";
  }

  static std::string reason(std::string_view name) {
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

  void replicas(Node const& value) {
    if (value.text() != "1") out_.key("replicas", yaml_value(value.text()));
  }

  void env_file(Node const& value) {
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

  void depends_on(Node const& value) {
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

  void extends(Entry const& entry) {
    Node const& value = *entry.value;
    Node const* const service = value.is_mapping() ? value.find("service") : &value;
    if (value.find("file") != nullptr || service == nullptr)
      return left(entry, "the other file is not read: import it as well and pass both with -c");
    out_.key("extends", service_key(service->text()));
  }

  void ulimits(Node const& value) {
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

  void deploy(Node const& value) {
    for (Entry const& entry : value.entries()) {
      std::string_view const name = entry.key->text();
      if (name == "replicas")
        replicas(*entry.value);
      else if (name == "resources")
        limits_ = entry.value->find("limits");
      else if (name == "restart_policy")
        policy_ = entry.value;
      else
        left(entry, "it concerns a cluster");
    }
  }

  void security(Entry const& entry) {
    for (std::string const& option : Carrier::texts(*entry.value)) {
      if (option == "no-new-privileges:true" || option == "no-new-privileges")
        out_.key("no_new_privileges", "true");
      else
        left(entry, "belfry has no counterpart");
    }
  }

  void cgroup() {
    std::vector<std::string> entries;
    auto const first = [&](std::string_view own, std::string_view limit) -> Node const* {
      if (Node const* const found = find(own)) return found;
      return limits_ == nullptr ? nullptr : limits_->find(limit);
    };
    if (Node const* n = first("mem_limit", "memory"))
      entries.push_back("memory_max: " + yaml_text(n->text()));
    if (Node const* n = first("cpus", "cpus")) entries.push_back("cpu_max: " + yaml_value(n->text()));
    if (Node const* n = first("pids_limit", "pids"); n != nullptr && n->text() != "-1")
      entries.push_back("pids_max: " + yaml_value(n->text()));
    out_.mapping("cgroup", entries);
  }

  void readiness() {
    if (Node const* const check = find("healthcheck"); check != nullptr && healthcheck(*check)) return;
    if (oneshot_) return;
    if (Node const* const ports = find("ports")) listening(*ports);
  }

  bool healthcheck(Node const& check) {
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

  // The port in the container is the one the process binds.
  void listening(Node const& ports) {
    std::vector<std::string> probes;
    for (Node const* item : ports.items()) {
      Node const* const target = item->find("target");
      Node const* const protocol = item->find("protocol");
      std::string text(target != nullptr ? target->text() : item->text());
      bool const udp = text.ends_with("/udp") || (protocol != nullptr && protocol->text() == "udp");
      text = container_port(text);
      bool const number = !text.empty() && text.size() <= 5 &&
                          std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
      if (number)
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

  void restart() {
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

  void stop() {
    std::vector<std::string> entries;
    if (Node const* n = find("stop_signal")) entries.push_back("signal: " + yaml_text(n->text()));
    if (Node const* n = find("stop_grace_period")) entries.push_back("timeout: " + yaml_value(n->text()));
    out_.mapping("stop", entries);
  }

  Carrier& carrier_;
  Node const& node_;
  ServiceWriter out_;
  Node const& key_;
  bool oneshot_;
  Node const* limits_ = nullptr;
  Node const* policy_ = nullptr;
};

std::set<std::string_view> completed_targets(Node const& services) {
  std::set<std::string_view> names;
  for (Entry const& service : services.entries())
    if (Node const* const edges = service.value->find("depends_on"))
      for (Entry const& edge : edges->entries())
        if (Node const* const condition = edge.value->find("condition");
            condition != nullptr && condition->text() == "service_completed_successfully")
          names.insert(edge.key->text());
  return names;
}

}  // namespace

Imported import_compose(std::string_view text, std::string file_name) {
  Imported out;
  Document document;
  Node const* const root = parse_foreign(document, out.diagnostics, text, std::move(file_name));
  if (root == nullptr) return out;
  Carrier carrier(out.diagnostics);
  std::string yaml =
      "# From a compose file. Services share the host's network and files: look for names of\n# services in "
      "addresses and for paths of volumes.\n";
  if (Node const* name = root->find("name"); name != nullptr && name->is_scalar())
    yaml += "name: " + service_key(name->text()) + "\n";
  for (Entry const& entry : root->entries()) {
    std::string_view const name = entry.key->text();
    if (name != "services" && name != "name" && name != "version" && !name.starts_with("x-"))
      carrier.left(*entry.key, "`" + std::string(name) + "`", "belfry runs programs of the host");
  }
  Node const* const services = root->find("services");
  if (services == nullptr || !services->is_mapping()) {
    out.diagnostics.error("no-services", root->span(), "the file has no services",
                          "check that this is a compose file");
    return out;
  }
  yaml += "services:\n";
  auto const oneshots = completed_targets(*services);
  for (Entry const& entry : services->entries())
    ComposeService(carrier, *entry.key, *entry.value, oneshots.contains(entry.key->text())).run().write(yaml);
  out.yaml = std::move(yaml);
  out.diagnostics.finish();
  return out;
}

}  // namespace belfry::config
