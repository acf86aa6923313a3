#include "config/import/process.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "config/decode.hpp"
#include "config/json.hpp"
#include "config/names.hpp"

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
  void left(Entry const& entry, std::string why) { left(*entry.key, entry.key->text(), std::move(why)); }
  void left(Node const& at, std::string_view what, std::string why) {
    carrier_.left(at, "`" + std::string(what) + "`", std::move(why), key_.text());
    out_.omit(what, at.line);
  }
  std::string shell(std::string_view line) const {
    return shell_command(line, file_.shell, file_.double_dollar);
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
      return out_.key("command", shell(filled));
    }
    out_.comment("decide: what this process runs");
    out_.key("command", yaml_list({"/path/to/" + out_.name()}));
    carrier_.left(key_, "the command", "the source has none", key_.text());
  }

  void environment() {
    std::vector<std::string> own;
    if (Node const* const mine = node_.find("environment"))
      for (Node const* odd : Carrier::unreadable_pairs(*mine))
        left(*odd, "environment", "an item is KEY=VALUE, a value is text");
    if (Node const* const mine = node_.find("environment"))
      own = Carrier::pairs(*mine, "null", [this](Node const& at, std::string_view value) {
        return templates_.filled(at, value);
      });
    Node const* const line = node_.find("command");
    if (line != nullptr && line->text().contains("PC_REPLICA_NUM"))
      own.push_back("REPLICA: \"${REPLICA:-1}\"");
    out_.mapping("environment", own);
  }

  void one(std::string_view name, Entry const& entry) {
    constexpr auto elsewhere = std::to_array<std::string_view>(
        {"command", "entrypoint", "environment", "vars", "readiness_probe", "ready_log_line",
         "liveness_probe", "availability", "shutdown", "disable_ansi_colors"});
    Node const& value = *entry.value;
    if (name.starts_with("x-")) return;
    if (std::ranges::find(elsewhere, name) != elsewhere.end()) {
      if (!has_shape(name, value)) left(entry, "it has another shape than process-compose reads");
      return;
    }
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

  static bool has_shape(std::string_view name, Node const& value) {
    if (name == "readiness_probe" || name == "liveness_probe" || name == "availability" ||
        name == "shutdown" || name == "vars")
      return value.is_mapping();
    if (name == "environment") return !value.is_scalar();
    return name == "entrypoint" || name == "command" ? !value.is_mapping()
                                                     : name == "disable_ansi_colors" || value.is_scalar();
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
      std::string const edge = "depends_on." + std::string(entry.key->text());
      known_only(*entry.value, edge, {"condition"});
      if (!entry.value->is_mapping() && !entry.value->is_null())
        left(*entry.value, edge, "a mapping with a `condition` was expected");
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
    std::vector<std::string> const probes = probe("readiness_probe", false);
    Node const* const line = node_.find("ready_log_line");
    bool const waited_for_line = line != nullptr && line->is_scalar();
    if (!probes.empty()) {
      out_.mapping("ready", probes);
      if (waited_for_line) left(*line, "ready_log_line", "its readiness_probe is: one of the two counts");
    } else if (waited_for_line) {
      out_.mapping("ready", {"log: " + json_string(doubled(regex_quoted(text(line))))});
    } else if (!oneshot_ && file_.awaited_ready.contains(key_.text())) {
      out_.comment(
          "decide: others wait for it to be healthy, and nothing here says when it is: add `ready:`");
    }
  }

  void live() {
    std::vector<std::string> const probes = probe("liveness_probe", true);
    if (oneshot_ && !probes.empty())
      left(*node_.find("liveness_probe"), "liveness_probe", "others wait for it to end: it is a oneshot");
    else
      out_.mapping("live", probes);
  }

  std::vector<std::string> probe(std::string_view name, bool live) {
    for (Entry const& entry : node_.entries())
      if (entry.key->text() == name && entry.value->is_mapping())
        return import_probe({templates_, file_.shell, file_.double_dollar,
                             [this](Node const& at, std::string const& what, std::string why) {
                               left(at, what, std::move(why));
                             }},
                            entry, live);
    return {};
  }

  static std::string doubled(std::string_view text) {
    std::string out;
    for (char const c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
    return out;
  }

  // What a mapping of the process may say; the rest is listed.
  void known_only(Node const& node, std::string_view within, std::initializer_list<std::string_view> known) {
    for (Entry const& entry : node.entries())
      if (!entry.key->text().starts_with("x-") && std::ranges::find(known, entry.key->text()) == known.end())
        left(*entry.key, std::string(within) + "." + std::string(entry.key->text()),
             "belfry has no counterpart");
  }

  std::string seconds(Node const* node, std::string_view what) {
    bool bad = false;
    std::string value = seconds_value(text(node), bad);
    if (bad) left(*node, what, "seconds are a whole number");
    return value;
  }

  // The policy in belfry's words.
  std::string policy(Node const* node) {
    std::string const written = text(node);
    if (written == "always" || written == "no" || written.empty()) return written.empty() ? "no" : written;
    if (written == "on_failure") return "on-failure";
    if (written != "exit_on_failure")
      left(*node, "availability.restart", "process-compose knows always, on_failure, exit_on_failure and no");
    return "no";
  }

  void availability() {
    static Node const nothing;
    Node const* const written = node_.find("availability");
    Node const& node = written == nullptr ? nothing : *written;
    known_only(node, "availability",
               {"restart", "backoff_seconds", "max_restarts", "exit_on_end", "exit_on_skipped"});
    std::vector<std::string> entries{"policy: " + policy(node.find("restart"))};
    bool const again = entries.front() != "policy: no";
    std::string const backoff = seconds(node.find("backoff_seconds"), "availability.backoff_seconds");
    std::string const most = text(node.find("max_restarts"));
    if (again && written != nullptr) entries.push_back("delay: " + (backoff.empty() ? "1s" : backoff));
    if (!most.empty() && most != "0") entries.push_back("limit: " + yaml_value(most));
    bool const main = ends_the_stack(node);
    if (text(node.find("restart")) == "exit_on_failure") out_.key("essential", "true");
    if (text(node.find("exit_on_skipped")) == "true")
      left(*node.find("exit_on_skipped"), "availability.exit_on_skipped",
           "write essential: true if the stack cannot be without it");
    if (main) {  // implies that it is not restarted
      if (again || entries.size() > 1) {
        out_.comment(
            "decide: `exit_on_end` makes its first exit the end of the stack; or remove `main` and restart "
            "it");
        left(node, "availability.restart", "the service whose exit ends the stack is not restarted");
      }
      return;
    }
    if (entries.size() > 1) return out_.mapping("restart", entries);
    if (!oneshot_ || again) out_.key("restart", entries.front().substr(8));
  }

  bool ends_the_stack(Node const& availability) {
    Node const* const end = availability.find("exit_on_end");
    if (text(end) != "true") return false;
    if (!std::exchange(file_.main_taken, true)) {
      out_.key("main", "true");
      return true;
    }
    out_.key("essential", "true");
    left(*end, "availability.exit_on_end",
         "only the exit of one service, `main`, can end the stack; this one ends it when it fails");
    return false;
  }

  static bool is_signal(std::string const& text) {
    return text.contains('$') || signal_number(text).has_value();
  }

  void shutdown() {
    Node const* const node = node_.find("shutdown");
    if (node == nullptr) return;
    std::vector<std::string> entries;
    for (Entry const& entry : node->entries()) {
      std::string_view const name = entry.key->text();
      std::string const value = text(entry.value);
      if (name == "signal" && is_signal(value))
        entries.push_back("signal: " + yaml_value(value));
      else if (name == "signal" && value != "0")
        left(*entry.key, "shutdown.signal", "there is no such signal");
      else if (std::string const time =
                   name == "timeout_seconds" ? seconds(entry.value, "shutdown.timeout_seconds") : "";
               !time.empty())
        entries.push_back("timeout: " + time);
      else if (name == "command" && !value.empty())
        out_.key("pre_stop", shell(value));
      else if (name == "parent_only" && value != "false")
        left(entry, "belfry always stops the whole process tree");
    }
    known_only(*node, "shutdown", {"signal", "timeout_seconds", "command", "parent_only"});
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

ServiceWriter import_process(Carrier& carrier, Templates templates, Entry const& entry, ProcessFile& file) {
  return Process(carrier, std::move(templates), entry, file).run();
}

}  // namespace belfry::config
