#include "config/import/compose_service.hpp"

#include <algorithm>
#include <array>

#include "config/import/compose_image.hpp"
#include "config/model/kernel_names.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

// Whether `value` is not whole unless a variable is set.
bool needs_variable(std::string_view value) {
  for (auto at = value.find('$'); at != std::string_view::npos; at = value.find('$', at + 1))
    if (!value.substr(at, value.find('}', at) - at).contains('-')) return true;
  return false;
}

}  // namespace

std::vector<const Node*> items_of(const Node& node) {
  if (!node.is_sequence()) return {&node};
  return {node.items().begin(), node.items().end()};
}

ComposeService::ComposeService(ComposeFile& file, const Node& key, const Node& node)
    : file_(file),
      node_(node),
      out_(key.text(), file.names),
      key_(key),
      oneshot_(file.awaited_ends.contains(key.text())),
      image_(known_image(text("image"))) {}

ServiceWriter ComposeService::run() {
  if (oneshot_) out_.key("type", "oneshot");
  command();
  hosts();
  for (const Entry& entry : node_.entries()) one(entry.key->text(), entry);
  depends_on();
  readiness();
  restart();
  stop();
  cgroup();
  confinement();
  return std::move(out_);
}

const Node* ComposeService::find(std::string_view name) const {
  const Node* const found = node_.find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string_view ComposeService::text(std::string_view name) const {
  const Node* const found = find(name);
  return found == nullptr ? std::string_view() : found->text();
}

void ComposeService::left(const Node& at, std::string_view what, std::string why) {
  file_.carrier.left(at, "`" + std::string(what) + "`", std::move(why), key_.text());
  out_.omit(what, at.line);
}

void ComposeService::one(std::string_view name, const Entry& entry) {
  if (name.starts_with("x-") || entry.value->is_null()) return;
  if (handled_elsewhere(name)) {
    if (!has_shape(name, *entry.value)) left(entry, "it has another shape than compose reads");
    return;
  }
  if (scalar(name, entry) || structured(name, entry)) return;
  left(entry, reason(name));
}

bool ComposeService::scalar(std::string_view name, const Entry& entry) {
  if (!entry.value->is_scalar()) return false;
  const std::string_view value = entry.value->text();
  if (name == "working_dir" && value.empty()) {
    left(entry, "it is empty: the service runs in the directory of the file");
  } else if (name == "working_dir") {
    if (value.starts_with('/')) out_.comment("decide: a directory of the image; is it there on this host?");
    out_.key("working_dir", yaml_text(value));
  } else if (name == "user")
    user(value);
  else if (name == "oom_score_adj")
    oom_score(entry);
  else if (name == "scale")
    replicas(entry);
  else if (name == "network_mode" && value == "none")
    return true;  // compose_confinement.cpp
  else if (name == "tty" && value == "true")
    out_.key("tty", "true");
  else
    return ((name == "tty" || name == "stdin_open" || name == "privileged" || name == "oom_kill_disable" ||
             name == "use_api_socket") &&
            value == "false") ||
           (name == "attach" && value == "true");
  return true;
}

bool ComposeService::structured(std::string_view name, const Entry& entry) {
  const Node& value = *entry.value;
  const bool list = value.is_sequence(), map = value.is_mapping();
  if (name == "environment" && (list || map))
    pairs(entry, "null");
  else if (name == "labels" && (list || map))
    pairs(entry, "\"\"");
  else if (name == "profiles" && list)
    out_.key("profiles", yaml_list(Carrier::texts(value)));
  else if (name == "env_file")
    env_file(entry);
  else if (name == "ulimits" && map)
    ulimits(entry);
  else if (name == "deploy" && map)
    deploy(entry);
  else if (name == "security_opt" && list)
    security(entry);
  else if (name == "secrets" && list)
    secrets(entry);
  else if ((name == "post_start" || name == "pre_stop") && list)
    hook(entry);
  else
    return false;
  return true;
}

bool ComposeService::handled_elsewhere(std::string_view name) {
  constexpr auto names = std::to_array<std::string_view>(
      {"cap_add", "cap_drop", "group_add", "read_only", "tmpfs", "cpuset", "command", "entrypoint",
       "healthcheck", "ports", "restart", "stop_signal", "stop_grace_period", "mem_limit", "cpus",
       "pids_limit", "depends_on", "init", "expose"});
  return std::ranges::find(names, name) != names.end();
}

bool ComposeService::has_shape(std::string_view name, const Node& value) {
  if (name == "healthcheck") return value.is_mapping();
  if (name == "command" || name == "entrypoint" || name == "ports" || name == "expose")
    return !value.is_mapping();
  if (name == "cap_add" || name == "cap_drop" || name == "group_add" || name == "tmpfs")
    return !value.is_mapping();
  if (name == "restart" || name == "read_only" || name == "cpuset" || name == "stop_signal" ||
      name == "mem_limit" || name == "cpus" || name == "pids_limit")
    return value.is_scalar();
  return true;  // of the others any shape is read, or told where it is read
}

void ComposeService::known_only(const Node& node, std::string_view within,
                                std::initializer_list<std::string_view> known) {
  for (const Entry& entry : node.entries())
    if (!entry.key->text().starts_with("x-") && std::ranges::find(known, entry.key->text()) == known.end())
      left(*entry.key, std::string(within) + "." + std::string(entry.key->text()),
           "belfry has no counterpart");
}

void ComposeService::pairs(const Entry& entry, std::string_view absent) {
  out_.mapping(entry.key->text(), Carrier::pairs(*entry.value, absent));
  for (const Node* odd : Carrier::unreadable_pairs(*entry.value))
    left(*odd, entry.key->text(), "an item is KEY=VALUE, a value is text");
}

void ComposeService::user(std::string_view value) {
  if (needs_variable(value))
    out_.comment("decide: are its variables set where belfry runs? Shells set UID and do not export it");
  if (!value.empty()) out_.key("user", text::json_string(value));
}

std::string ComposeService::reason(std::string_view name) {
  if (name == "image" || name == "build")
    return "belfry runs programs of the host, not images: install what the image held";
  if (name == "platform" || name == "pull_policy" || name == "container_name")
    return "it concerns containers, and there is none";
  if (name == "volumes" || name == "volumes_from") return "a service sees the host's files: adapt its paths";
  if (name.starts_with("network") || name.ends_with("links") || name == "extra_hosts" ||
      name.starts_with("dns") || name == "hostname" || name == "domainname" || name == "expose")
    return "services share the host's network: replace the names of services in addresses by 127.0.0.1";
  if (name == "secrets" || name == "configs")
    return "write secrets: {VARIABLE: FILE}, or read the file from where it lies";
  if (name == "extends")
    return "what it names is not in this file: `docker compose config | belfry import compose -` has all of "
           "it";
  if (name == "stdin_open") return "write stdin: inherit for the one service that reads belfry's own input";
  if (name == "logging" || name == "attach")
    return "belfry writes the lines of all services to its own output";
  if (name == "privileged" || name == "devices") return "a service has the rights of its user";
  return "belfry has no counterpart";
}

void ComposeService::replicas(const Entry& entry) {
  const std::string_view count = entry.value->text();
  if (count == "0") {
    out_.comment("no replicas: started only when it is asked for");
    out_.key("profiles", "[disabled]");
  } else if (count != "1" && find("scale") != nullptr && entry.key->text() == "replicas") {
    return;  // compose wants both to say the same
  } else if (!count.contains('$') && (count.empty() || count.size() > 4 || count.front() == '0' ||
                                      count.find_first_not_of("0123456789") != count.npos)) {
    left(entry, "it is a number from 1 to 9999");
  } else if (count != "1") {
    out_.key("replicas", yaml_value(count));
  }
}

void ComposeService::env_file(const Entry& entry) {
  std::vector<const Node*> items(entry.value->items().begin(), entry.value->items().end());
  if (!entry.value->is_sequence()) items.push_back(entry.value);
  std::string out;
  for (const Node* item : items) {
    const Node* const path = item->is_mapping() ? item->find("path") : item;
    if (path == nullptr || !path->is_scalar() || path->text().empty()) continue;
    const std::string from_here = yaml_text(path_from(text("working_dir"), path->text(), file_.directory));
    const Node* const required = item->find("required");
    const bool optional = required != nullptr && required->text() == "false";
    out += (out.empty() ? "" : ", ") + (optional ? "{path: " + from_here + ", required: false}" : from_here);
    if (const Node* format = item->find("format"))
      left(*format, "env_file.format",
           "belfry reads every file by compose's own rules: put values with `$` in single quotes");
    known_only(*item, "env_file", {"path", "required", "format"});
  }
  if (!out.empty()) out_.key("env_file", "[" + out + "]");
}

void ComposeService::oom_score(const Entry& entry) {
  const std::string_view text = entry.value->text();
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool number = !digits.empty() && digits.size() <= 4 &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos &&
                      (digits == "0" || digits.front() != '0') && (digits.size() < 4 || digits == "1000");
  if (number || text.contains('$'))
    out_.key("oom_score_adj", yaml_value(text));
  else
    left(entry, "it is a number from -1000 to 1000");
}

void ComposeService::ulimits(const Entry& entry) {
  const auto number = [](const Node* n) {
    return n == nullptr || n->text() == "-1" || n->text().contains('$') ||
           (!n->text().empty() && n->text().size() < 19 && (n->text().front() != '0' || n->text() == "0") &&
            n->text().find_first_not_of("0123456789") == std::string_view::npos);
  };
  const auto limit = [](const Node& n) {
    return n.text() == "-1" ? std::string("unlimited") : yaml_value(n.text());
  };
  std::vector<std::string> entries;
  for (const Entry& one : entry.value->entries()) {
    const Node* const soft = one.value->find("soft");
    const Node* const hard = one.value->find("hard");
    const std::string name = yaml_text(one.key->text());
    if (!limit_number(one.key->text()) || (one.value->is_mapping() && (soft == nullptr || hard == nullptr)))
      left(*one.key, "ulimits." + std::string(one.key->text()), "belfry knows no such limit");
    else if (!number(one.value->is_mapping() ? soft : one.value) || !number(hard))
      left(*one.key, "ulimits." + std::string(one.key->text()), "a limit is a number, or -1");
    else if (soft != nullptr && hard != nullptr)
      entries.push_back(name + ": {soft: " + limit(*soft) + ", hard: " + limit(*hard) + "}");
    else if (one.value->is_scalar())
      entries.push_back(name + ": " + limit(*one.value));
  }
  out_.mapping("rlimits", entries);
}

void ComposeService::deploy(const Entry& entry) {
  for (const Entry& one : entry.value->entries()) {
    const std::string_view name = one.key->text();
    if (name == "replicas")
      replicas(one);
    else if (name == "resources") {
      limits_ = one.value->find("limits");
      if (limits_ != nullptr) known_only(*limits_, "deploy.resources.limits", {"memory", "cpus", "pids"});
      if (const Node* const reserved = one.value->find("reservations"))
        left(*reserved, "deploy.resources.reservations", "belfry limits, and reserves nothing");
      known_only(*one.value, "deploy.resources", {"limits", "reservations"});
    } else if (name == "restart_policy") {
      policy_ = one.value;
      known_only(*one.value, "deploy.restart_policy", {"condition", "delay", "max_attempts", "window"});
    } else if (name != "mode" || one.value->text() != "replicated")
      left(*one.key, "deploy." + std::string(name), "it concerns a cluster");
  }
}

void ComposeService::security(const Entry& entry) {
  for (const std::string& option : Carrier::texts(*entry.value)) {
    if (option == "no-new-privileges:true" || option == "no-new-privileges")
      out_.key("no_new_privileges", "true");
    else if (option != "no-new-privileges:false")
      left(entry, "belfry has no counterpart");
  }
}

void ComposeService::secrets(const Entry& entry) {
  std::string known;
  for (const Node* item : entry.value->items()) {
    const Node* const source = item->is_mapping() ? item->find("source") : item;
    const Node* const secret =
        source == nullptr || file_.secrets == nullptr ? nullptr : file_.secrets->find(source->text());
    const Node* const path = secret == nullptr ? nullptr : secret->find("file");
    if (path == nullptr || !path->is_scalar()) continue;
    known += (known.empty() ? "" : ", ") + std::string("VARIABLE: ") +
             path_from(text("working_dir"), path->text(), file_.directory);
  }
  left(entry, known.empty() ? reason("secrets") : "write secrets: {" + known + "}");
}

void ComposeService::hook(const Entry& entry) {
  const Node* const first = entry.value->size == 0 ? nullptr : entry.value->items().front();
  const Node* const line = first == nullptr ? nullptr : first->find("command");
  if (line == nullptr || words(*line).empty()) return left(entry, "it has no command");
  out_.key(entry.key->text(), yaml_list(words(*line)));
  if (entry.value->size > 1 || first->size > 1)
    left(entry, "a hook of belfry is one command, run as the service's user in its directory");
}

}  // namespace belfry::config
