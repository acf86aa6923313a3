#include <algorithm>
#include <array>

#include "config/decode.hpp"
#include "config/import/import.hpp"
#include "config/import/writer.hpp"
#include "config/json.hpp"

namespace belfry::config {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Replaces `{{ .NAME }}`; what is not such a plain name stays and is reported.
class Templates {
 public:
  Templates(Carrier& carrier, Variables variables) : carrier_(carrier), variables_(std::move(variables)) {}

  void add(Node const& mapping) {
    for (Entry const& entry : mapping.entries())
      variables_.insert(variables_.begin(),
                        {std::string(entry.key->text()), std::string(entry.value->text())});
  }

  std::string filled(Node const& node) const {
    std::string_view const text = node.text();
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

 private:
  std::string value_of(std::string_view name, Node const& node, std::string_view whole) const {
    if (name == "PC_REPLICA_NUM") {
      carrier_.left(node, "counting replicas from 0", "${REPLICA} counts from 1");
      return "${REPLICA:-1}";
    }
    for (auto const& [known, value] : variables_)
      if (known == name) return value;
    carrier_.left(node, "the template `" + std::string(whole) + "`",
                  "write the value, or a variable: ${NAME:-default}");
    return std::string(whole);
  }

  Carrier& carrier_;
  Variables variables_;
};

// What one process must know of the others.
struct Others {
  std::set<std::string_view> awaited_ends;  // somebody waits for their end: oneshots
  std::set<std::string_view> disabled;
  bool main_taken = false;
};

// A shell command with doubled `$` is text; whatever else is copied keeps its meaning.
class Process {
 public:
  Process(Carrier& carrier, Templates templates, Entry const& entry, Others& others,
          Node const* global_environment)
      : carrier_(carrier),
        templates_(std::move(templates)),
        key_(*entry.key),
        node_(*entry.value),
        out_(service_name(entry.key->text())),
        oneshot_(others.awaited_ends.contains(entry.key->text())),
        others_(others),
        global_(global_environment) {
    if (Node const* vars = node_.find("vars")) templates_.add(*vars);
  }

  ServiceWriter run() {
    if (oneshot_) out_.key("type", "oneshot");
    command();
    environment();
    for (Entry const& entry : node_.entries())
      if (!entry.value->is_null()) one(entry.key->text(), entry);
    ready();
    if (Node const* live = node_.find("liveness_probe"); live != nullptr && !oneshot_)
      out_.mapping("live", probe(*live, true));
    availability();
    shutdown();
    return std::move(out_);
  }

 private:
  std::string title() const { return "`" + std::string(key_.text()) + "`"; }
  std::string text(Node const* node) const {
    return node == nullptr || !node->is_scalar() ? std::string() : templates_.filled(*node);
  }
  void left(Entry const& entry, std::string why) {
    carrier_.left(*entry.key, "`" + std::string(entry.key->text()) + "` of " + title(), std::move(why));
    out_.comment("not carried over: " + std::string(entry.key->text()) + " (line " +
                 std::to_string(entry.key->line) + ")");
  }

  void command() {
    Node const* const line = node_.find("command");
    Node const* const entrypoint = node_.find("entrypoint");
    if (entrypoint != nullptr && entrypoint->is_sequence()) {
      std::vector<std::string> words;
      for (Node const* item : entrypoint->items()) words.push_back(text(item));
      for (std::string const& word : line != nullptr && line->is_scalar()
                                         ? std::vector<std::string>{text(line)}
                                         : Carrier::texts(line != nullptr ? *line : key_))
        if (line != nullptr) words.push_back(word);
      return out_.key("command", yaml_list(words));
    }
    if (line != nullptr && line->is_scalar()) return out_.key("command", shell_command(text(line)));
    out_.comment("decide: what this process runs");
    out_.key("command", yaml_list({"/path/to/" + out_.name()}));
    carrier_.left(key_, "the command of " + title(), "the source has none");
  }

  void environment() {
    std::vector<std::string> lines =
        global_ == nullptr ? std::vector<std::string>{} : Carrier::pairs(*global_);
    std::vector<std::string> own;
    if (Node const* const mine = node_.find("environment")) own = Carrier::pairs(*mine);
    Node const* const line = node_.find("command");
    if (line != nullptr && line->text().contains("PC_REPLICA_NUM"))
      own.push_back("REPLICA: \"${REPLICA:-1}\"");
    auto const name_of_line = [](std::string const& line) { return line.substr(0, line.find(": ")); };
    std::erase_if(lines, [&](std::string const& line) {
      return std::ranges::any_of(
          own, [&](std::string const& other) { return name_of_line(other) == name_of_line(line); });
    });
    lines.insert(lines.end(), own.begin(), own.end());
    out_.mapping("environment", lines);
  }

  void one(std::string_view name, Entry const& entry) {
    constexpr auto elsewhere = std::to_array<std::string_view>(
        {"command", "entrypoint", "environment", "vars", "readiness_probe", "ready_log_line",
         "liveness_probe", "availability", "shutdown", "disable_ansi_colors", "is_foreground",
         "log_configuration", "disable_dotenv"});
    if (name.starts_with("x-") || std::ranges::find(elsewhere, name) != elsewhere.end()) return;
    Node const& value = *entry.value;
    if (name == "working_dir") return out_.key("working_dir", yaml_text(text(&value)));
    if (name == "description") return out_.key("description", json_string(text(&value)));
    if (name == "namespace") return out_.mapping("labels", {"namespace: " + json_string(value.text())});
    if (name == "replicas")
      return value.text() == "1" ? void() : out_.key("replicas", yaml_value(value.text()));
    if (name == "log_location")
      return out_.mapping("log", {"file: " + yaml_text(text(&value)), "stdout: true"});
    if (name == "env_file") return out_.key("env_file", yaml_list(Carrier::texts(value)));
    if (name == "is_tty" || name == "is_interactive")
      return value.text() == "true" ? out_.key("tty", "true") : void();
    if (name == "disabled") return value.text() == "true" ? out_.key("profiles", "[disabled]") : void();
    if (name == "depends_on") return depends_on(value);
    if (name == "is_daemon" && value.text() == "false") return;
    if (name == "is_daemon")
      return left(entry,
                  "belfry follows a process that goes to the background by itself; give it a `ready:` probe");
    if (name == "is_elevated")
      return left(entry, "belfry starts services as the user it runs as, or as `user:`");
    if (name == "launch_timeout_seconds") return left(entry, "write ready: {..., timeout: 30s}");
    left(entry, "belfry has no counterpart");
  }

  void depends_on(Node const& value) {
    std::vector<std::string> entries;
    for (Entry const& entry : value.entries()) {
      Node const* const condition = entry.value->find("condition");
      std::string word = condition == nullptr ? "started" : std::string(condition->text());
      auto const known = condition_named(word);
      word = known ? std::string(name_of(*known)) : yaml_text(word);
      bool const optional = others_.disabled.contains(entry.key->text());
      entries.push_back(service_key(entry.key->text()) + ": " +
                        (optional ? "{condition: " + word + ", required: false}" : word));
    }
    for (Node const* item : value.items()) entries.push_back(service_key(item->text()) + ": started");
    out_.mapping("depends_on", entries);
  }

  void ready() {
    Node const* const probes = node_.find("readiness_probe");
    Node const* const line = node_.find("ready_log_line");
    if (probes != nullptr && probes->is_mapping()) return out_.mapping("ready", probe(*probes, false));
    if (line != nullptr && line->is_scalar())
      out_.mapping("ready", {"log: " + json_string(doubled(regex_quoted(text(line))))});
  }

  static std::string doubled(std::string_view text) {
    std::string out;
    for (char const c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
    return out;
  }

  std::vector<std::string> probe(Node const& node, bool live) const {
    std::vector<std::string> entries;
    if (Node const* const exec = node.find("exec"); exec != nullptr && exec->find("command") != nullptr)
      entries.push_back("exec: " + shell_command(text(exec->find("command"))));
    if (Node const* const get = node.find("http_get")) http(*get, entries);
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
    entries.push_back("http: " + json_string(part("scheme", "http") + "://" + part("host", "127.0.0.1") +
                                             ":" + part("port", "80") + path));
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
    bool const main = ends && !others_.main_taken;
    if (ends && !main) {
      out_.key("essential", "true");
      carrier_.left(
          key_, "`exit_on_end` of " + title(),
          "only the exit of one service, `main`, can end the stack; this one ends it when it fails");
    }
    if (main) others_.main_taken = true;
    if (main) out_.key("main", "true");
    if (policy == "exit_on_failure") out_.key("essential", "true");
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
        out_.key("pre_stop", shell_command(text(entry.value)));
      else
        left(entry, "belfry always stops the whole process tree");
    }
    out_.mapping("stop", entries);
  }

  Carrier& carrier_;
  Templates templates_;
  Node const& key_;
  Node const& node_;
  ServiceWriter out_;
  bool oneshot_;
  Others& others_;
  Node const* global_;
};

// Processes somebody waits for to end are oneshots.
std::set<std::string_view> awaited_ends(Node const& processes) {
  std::set<std::string_view> names;
  for (Entry const& process : processes.entries())
    if (Node const* const edges = process.value->find("depends_on"))
      for (Entry const& edge : edges->entries())
        if (Node const* const condition = edge.value->find("condition");
            condition != nullptr && condition->text().starts_with("process_completed"))
          names.insert(edge.key->text());
  return names;
}

std::set<std::string_view> disabled_ones(Node const& processes) {
  std::set<std::string_view> names;
  for (Entry const& process : processes.entries())
    if (Node const* const disabled = process.value->find("disabled");
        disabled != nullptr && disabled->text() == "true")
      names.insert(process.key->text());
  return names;
}

}  // namespace

Imported import_process_compose(std::string_view text, std::string file_name) {
  Imported out;
  Document document;
  Node const* const root = parse_foreign(document, out.diagnostics, text, std::move(file_name));
  if (root == nullptr) return out;
  Carrier carrier(out.diagnostics);
  Node const* const processes = root->find("processes");
  if (processes == nullptr || !processes->is_mapping()) {
    out.diagnostics.error("no-services", root->span(), "the file has no processes",
                          "check that this is a process-compose file");
    return out;
  }
  constexpr auto known =
      std::to_array<std::string_view>({"version", "processes", "environment", "vars", "name", "log_level",
                                       "is_strict", "disable_env_expansion"});
  for (Entry const& entry : root->entries())
    if (std::ranges::find(known, entry.key->text()) == known.end() && !entry.key->text().starts_with("x-"))
      carrier.left(*entry.key, "`" + std::string(entry.key->text()) + "`",
                   entry.key->text() == "log_location" ? "write log: {file: PATH} under `defaults`"
                                                       : "belfry has no counterpart");
  Templates templates(carrier, {});
  if (Node const* vars = root->find("vars")) templates.add(*vars);
  std::string yaml = "# From a process-compose file.\n";
  if (Node const* name = root->find("name"); name != nullptr && name->is_scalar())
    yaml += "name: " + service_key(name->text()) + "\n";
  yaml += "services:\n";
  Others others{awaited_ends(*processes), disabled_ones(*processes)};
  for (Entry const& entry : processes->entries())
    Process(carrier, templates, entry, others, root->find("environment")).run().write(yaml);
  out.yaml = std::move(yaml);
  out.diagnostics.finish();
  return out;
}

}  // namespace belfry::config
