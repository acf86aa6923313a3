#include "config/import/process.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "config/decode.hpp"
#include "config/json.hpp"

namespace belfry::config {
namespace {

// A shell command with doubled `$` is text; whatever else is copied keeps its meaning.
class Process {
 public:
  Process(Carrier& carrier, Templates templates, Entry const& entry, ProcessFile& file)
      : carrier_(carrier),
        templates_(std::move(templates)),
        key_(*entry.key),
        node_(*entry.value),
        out_(entry.key->text(), file.names),
        oneshot_(file.awaited_ends.contains(entry.key->text())),
        file_(file) {
    if (Node const* vars = node_.find("vars")) templates_.add(*vars);
  }

  ServiceWriter run() {
    if (oneshot_) out_.key("type", "oneshot");
    command();
    environment();
    for (Entry const& entry : node_.entries())
      if (!entry.value->is_null()) one(entry.key->text(), entry);
    ready();
    live();
    availability();
    shutdown();
    return std::move(out_);
  }

 private:
  std::string text(Node const* node) const {
    return node == nullptr || !node->is_scalar() ? std::string() : templates_.filled(*node);
  }
  void left(Entry const& entry, std::string why) {
    carrier_.left(*entry.key, "`" + std::string(entry.key->text()) + "`", std::move(why), key_.text());
    out_.omit(entry.key->text(), entry.key->line);
  }

  void command() {
    Node const* const line = node_.find("command");
    Node const* const entrypoint = node_.find("entrypoint");
    if (entrypoint != nullptr && entrypoint->size > 0 && !entrypoint->is_mapping()) {
      std::vector<std::string> words;
      for (std::string const& word : Carrier::texts(*entrypoint))
        words.push_back(templates_.filled(*entrypoint, word));
      if (line != nullptr)
        for (std::string const& word : Carrier::texts(*line)) words.push_back(templates_.filled(*line, word));
      return out_.key("command", yaml_list(words));
    }
    if (line != nullptr && line->is_scalar() &&
        line->text().find_first_not_of(" \t\r\n") != std::string_view::npos) {
      std::string const filled = text(line);
      if (filled.contains("{{")) out_.comment("decide: belfry knows no templates, only ${NAME:-default}");
      return out_.key("command", shell_command(filled, file_.shell));
    }
    out_.comment("decide: what this process runs");
    out_.key("command", yaml_list({"/path/to/" + out_.name()}));
    carrier_.left(key_, "the command", "the source has none", key_.text());
  }

  void environment() {
    std::vector<std::string> own;
    if (Node const* const mine = node_.find("environment")) own = Carrier::pairs(*mine);
    Node const* const line = node_.find("command");
    if (line != nullptr && line->text().contains("PC_REPLICA_NUM"))
      own.push_back("REPLICA: \"${REPLICA:-1}\"");
    out_.mapping("environment", own);
  }

  void one(std::string_view name, Entry const& entry) {
    constexpr auto elsewhere = std::to_array<std::string_view>(
        {"command", "entrypoint", "environment", "vars", "readiness_probe", "ready_log_line",
         "liveness_probe", "availability", "shutdown", "disable_ansi_colors"});
    if (name.starts_with("x-") || std::ranges::find(elsewhere, name) != elsewhere.end()) return;
    Node const& value = *entry.value;
    bool const no = value.text() == "false";
    if (value.is_scalar() && scalar(name, entry)) return;
    if (name == "env_file") {
      std::vector<std::string> files = Carrier::texts(value);
      for (std::string& file : files) file = here(file);
      return out_.key("env_file", yaml_list(files));
    }
    if (name == "depends_on") return depends_on(value);
    if (no && (name.starts_with("is_") || name.starts_with("disable"))) return;
    left(entry, reason(name));
  }

  bool scalar(std::string_view name, Entry const& entry) {
    std::string const value = text(entry.value);
    if (name == "working_dir")
      out_.key("working_dir", yaml_text(value));
    else if (name == "description")
      out_.key("description", json_string(value));
    else if (name == "namespace")
      out_.mapping("labels", {"namespace: " + json_string(value)});
    else if (name == "replicas" && value != "0")
      value == "1" ? void() : out_.key("replicas", yaml_value(value));
    else if (name == "is_tty" && value == "true")
      out_.key("tty", "true");
    else if (name == "log_location")
      // Files of logs are in the format and not yet in the daemon: what is written here must run.
      left(entry, "belfry writes to its own output; log: {file: " + here(value) + "} is for a later version");
    else if (name == "disabled")
      value == "true" ? out_.key("profiles", "[disabled]") : void();
    else
      return false;
    return true;
  }

  static std::string reason(std::string_view name) {
    if (name == "is_daemon")
      return "belfry follows a process that goes to the background by itself; give it a `ready:` probe";
    if (name == "is_elevated") return "belfry starts services as the user it runs as, or as `user:`";
    if (name == "launch_timeout_seconds") return "write ready: {..., timeout: 30s}";
    if (name == "is_interactive" || name == "is_foreground")
      return "write stdin: inherit for the one service that reads belfry's own input";
    if (name == "log_configuration") return "belfry writes the lines of all services to its own output";
    if (name.ends_with("dotenv") || name.ends_with("dotenv_disabled"))
      return "belfry hands `.env` to no service unless it is named as `env_file`";
    return "belfry has no counterpart";
  }

  // Paths count from where process-compose was started.
  std::string here(std::string_view path) const {
    return path_from(text(node_.find("working_dir")), path, file_.directory);
  }

  void depends_on(Node const& value) {
    std::vector<std::string> entries;
    for (Entry const& entry : value.entries()) {
      Node const* const condition = entry.value->find("condition");
      std::string word = condition == nullptr ? "started" : std::string(condition->text());
      auto const known = condition_named(word);
      word = known ? std::string(name_of(*known)) : yaml_text(word);
      bool const optional = file_.disabled.contains(entry.key->text());
      entries.push_back(yaml_text(file_.names.of(entry.key->text())) + ": " +
                        (optional ? "{condition: " + word + ", required: false}" : word));
    }
    for (std::string const& name : Carrier::texts(value))
      entries.push_back(yaml_text(file_.names.of(name)) + ": started");
    out_.mapping("depends_on", entries);
  }

  void ready() {
    Node const* const probes = node_.find("readiness_probe");
    Node const* const line = node_.find("ready_log_line");
    bool const waited_for_line = line != nullptr && line->is_scalar();
    if (probes != nullptr && probes->is_mapping()) {
      out_.mapping("ready", probe(*probes, false));
      if (waited_for_line)
        carrier_.left(*line, "`ready_log_line`", "its readiness_probe is: one of the two counts",
                      key_.text());
    } else if (waited_for_line) {
      out_.mapping("ready", {"log: " + json_string(doubled(regex_quoted(text(line))))});
    } else if (!oneshot_ && file_.awaited_ready.contains(key_.text())) {
      out_.comment(
          "decide: others wait for it to be healthy, and nothing here says when it is: add `ready:`");
    }
  }

  void live() {
    Node const* const probes = node_.find("liveness_probe");
    if (probes == nullptr || !probes->is_mapping()) return;
    if (oneshot_)
      carrier_.left(*probes, "`liveness_probe`", "others wait for it to end: it is a oneshot", key_.text());
    else
      out_.mapping("live", probe(*probes, true));
  }

  static std::string doubled(std::string_view text) {
    std::string out;
    for (char const c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
    return out;
  }

  std::vector<std::string> probe(Node const& node, bool live) const {
    std::vector<std::string> entries;
    if (Node const* const exec = node.find("exec"); exec != nullptr && exec->find("command") != nullptr)
      entries.push_back("exec: " + shell_command(text(exec->find("command")), file_.shell));
    else if (Node const* const get = node.find("http_get"))
      http(*get, entries);
    else
      return {};
    if (Node const* const exec = node.find("exec"); exec != nullptr && exec->find("working_dir") != nullptr)
      carrier_.left(*exec->find("working_dir"), "`working_dir` of a probe",
                    "probes run in the directory of their service", key_.text());
    auto const seconds = [&](std::string_view from, std::string_view to, std::string_view fallback) {
      std::string const value = node.find(from) != nullptr ? text(node.find(from)) : std::string(fallback);
      if (!value.empty() && value != "0") entries.push_back(std::string(to) + ": " + yaml_value(value + "s"));
    };
    seconds("initial_delay_seconds", "initial_delay", "");
    seconds("period_seconds", "period", live ? "10" : "");
    seconds("timeout_seconds", live ? "timeout" : "attempt_timeout", "1");
    for (std::string_view const name : {"success_threshold", "failure_threshold"})
      if (Node const* n = node.find(name); n != nullptr && n->text() != "0")
        entries.push_back(std::string(name) + ": " + yaml_value(text(n)));
    return entries;
  }

  void http(Node const& get, std::vector<std::string>& entries) const {
    auto const part = [&](std::string_view name, std::string fallback) {
      std::string v = text(get.find(name));
      return v.empty() ? fallback : v;
    };
    std::string path = part("path", "/");
    if (!path.starts_with('/')) path.insert(0, "/");
    std::string const scheme = part("scheme", "http");
    std::string const port = part("port", part("num_port", scheme == "https" ? "443" : "80"));
    entries.push_back("http: " + json_string(scheme + "://" + part("host", "127.0.0.1") + ":" + port + path));
    if (Node const* headers = get.find("headers")) {
      std::string joined;
      for (std::string const& line : Carrier::pairs(*headers)) joined += (joined.empty() ? "" : ", ") + line;
      entries.push_back("headers: {" + joined + "}");
    }
    if (Node const* status = get.find("status_code"))
      entries.push_back("status: " + yaml_value(text(status)));
  }

  void availability() {
    Node const* const node = node_.find("availability");
    auto const get = [&](std::string_view name) {
      return node == nullptr ? std::string() : text(node->find(name));
    };
    std::string const policy = get("restart"), backoff = get("backoff_seconds"), most = get("max_restarts");
    std::vector<std::string> entries{"policy: " + std::string(policy == "always"       ? "always"
                                                              : policy == "on_failure" ? "on-failure"
                                                                                       : "no")};
    if (!backoff.empty() && backoff != "0" && policy != "no")
      entries.push_back("delay: " + yaml_value(backoff + "s"));
    if (!most.empty() && most != "0") entries.push_back("limit: " + yaml_value(most));
    bool const ends = get("exit_on_end") == "true";
    bool const main = ends && !file_.main_taken;
    if (ends && !main) {
      out_.key("essential", "true");
      carrier_.left(key_, "`exit_on_end`",
                    "only the exit of one service, `main`, can end the stack; this one ends it when it fails",
                    key_.text());
    }
    if (main) file_.main_taken = true;
    if (main) out_.key("main", "true");
    if (policy == "exit_on_failure") out_.key("essential", "true");
    if (get("exit_on_skipped") == "true")
      carrier_.left(*node, "`exit_on_skipped`", "write essential: true if the stack cannot be without it",
                    key_.text());
    if (main) return;  // implies that it is not restarted
    if (entries.size() > 1) return out_.mapping("restart", entries);
    if (!oneshot_ || entries.front() != "policy: no") out_.key("restart", entries.front().substr(8));
  }

  void shutdown() {
    Node const* const node = node_.find("shutdown");
    if (node == nullptr) return;
    std::vector<std::string> entries;
    for (Entry const& entry : node->entries()) {
      std::string_view const name = entry.key->text();
      if (name == "signal")
        entries.push_back("signal: " + yaml_value(text(entry.value)));
      else if (name == "timeout_seconds")
        entries.push_back("timeout: " + yaml_value(text(entry.value) + "s"));
      else if (name == "command")
        out_.key("pre_stop", shell_command(text(entry.value), file_.shell));
      else if (name == "parent_only" && entry.value->text() != "false")
        left(entry, "belfry always stops the whole process tree");
      else if (name != "parent_only")
        left(entry, "belfry has no counterpart");
    }
    out_.mapping("stop", entries);
  }

  Carrier& carrier_;
  Templates templates_;
  Node const& key_;
  Node const& node_;
  ServiceWriter out_;
  bool oneshot_;
  ProcessFile& file_;
};

}  // namespace

void Templates::add(Node const& mapping) {
  for (Entry const& entry : mapping.entries())
    variables_.emplace_back(entry.key->text(), entry.value->text());
}

std::string Templates::filled(Node const& node, std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  for (std::size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{", at)) {
    std::size_t const close = text.find("}}", open);
    if (close == std::string_view::npos) break;
    out += text.substr(at, open - at);
    std::string_view name = text.substr(open + 2, close - open - 2);
    while (name.starts_with(' ') || name.starts_with('.')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    out += value_of(name, node, text.substr(open, close + 2 - open));
    at = close + 2;
  }
  return out += text.substr(at);
}

std::string Templates::value_of(std::string_view name, Node const& node, std::string_view whole) const {
  if (name == "PC_REPLICA_NUM") {
    carrier_.left(node, "counting replicas from 0", "${REPLICA} counts from 1");
    return "${REPLICA:-1}";
  }
  for (auto const& [known, value] : variables_ | std::views::reverse)
    if (known == name) return value;
  carrier_.left(node, "the template `" + std::string(whole) + "`",
                "write the value, or a variable: ${NAME:-default}");
  return std::string(whole);
}

ServiceWriter import_process(Carrier& carrier, Templates templates, Entry const& entry, ProcessFile& file) {
  return Process(carrier, std::move(templates), entry, file).run();
}

}  // namespace belfry::config
