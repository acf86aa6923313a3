#include "config/import/process.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "text/escape.hpp"

namespace belfry::config {
namespace {

bool is_true(const Node* node) { return node != nullptr && node->text() == "true"; }

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

Process::Process(ProcessFile& file, Templates templates, const Entry& entry)
    : file_(file),
      templates_(std::move(templates)),
      key_(*entry.key),
      own_(entry.value),
      node_(entry.value),
      out_(entry.key->text(), file.names),
      oneshot_(file.awaited_ends.contains(entry.key->text())) {
  const Node& whole = file_.extended.of(*own_);
  extends_ = own_->find("extends") != nullptr && whole.find("extends") == nullptr && adds_to_its_base();
  if (!extends_) node_ = &whole;
  if (const Node* vars = node_->find("vars")) templates_.add(*vars);
}

ServiceWriter Process::run() {
  if (oneshot_) out_.key("type", "oneshot");
  command();
  environment();
  env_files();
  for (const Entry& entry : node_->entries())
    if (!entry.value->is_null()) one(entry.key->text(), entry);
  if (extends_) return std::move(out_);
  ready();
  live();
  availability();
  shutdown();
  return std::move(out_);
}

// Whether `extends` of belfry makes of it what the source means: keys that several others depend on would
// have to be read together.
bool Process::adds_to_its_base() const {
  constexpr auto together = std::to_array<std::string_view>(
      {"vars", "availability", "shutdown", "readiness_probe", "liveness_probe", "ready_log_line", "disabled",
       "is_disabled", "is_dotenv_disabled", "env_file", "working_dir", "entrypoint", "is_daemon",
       "is_template_disabled"});
  for (const Entry& entry : own_->entries())
    if (std::ranges::find(together, entry.key->text()) != together.end()) return false;
  const Node* const base = file_.extended.base_of(*own_);
  const std::string_view name = own_->find("extends")->text();
  const Node* const availability = file_.extended.of(*base).find("availability");
  const bool ends_all = availability != nullptr && is_true(availability->find("exit_on_end"));
  return !ends_all && file_.awaited_ends.contains(name) == oneshot_;
}

std::string Process::text(const Node* node) const {
  return node == nullptr || !node->is_scalar() ? std::string() : templates_.filled(*node);
}

void Process::left(const Node& at, std::string_view what, std::string why) {
  file_.carrier.left(at, "`" + std::string(what) + "`", std::move(why), key_.text());
  out_.omit(what, at.line);
}

void Process::known_only(const Node& node, std::string_view within,
                         std::initializer_list<std::string_view> known) {
  for (const Entry& entry : node.entries())
    if (!entry.key->text().starts_with("x-") && std::ranges::find(known, entry.key->text()) == known.end())
      left(*entry.key, std::string(within) + "." + std::string(entry.key->text()),
           "belfry has no counterpart");
}

std::string Process::shell(std::string_view line) const {
  return shell_command(line, file_.shell, file_.double_dollar);
}

// A shell command with doubled `$` is text; whatever else is copied keeps its meaning.
void Process::command() {
  const Node* const line = node_->find("command");
  if (line == nullptr || !line->is_scalar() || is_blank(line->text())) return words_of_command();
  const bool verbatim = is_true(node_->find("is_template_disabled"));
  const std::string filled = verbatim ? std::string(line->text()) : text(line);
  if (!verbatim && filled.contains("{{"))
    out_.comment("decide: belfry knows no templates, only ${NAME:-default}");
  out_.key("command", shell(filled));
  if (const Node* const entry = node_->find("entrypoint");
      entry != nullptr && !Carrier::texts(*entry).empty())
    left(*entry, "entrypoint", "process-compose runs `command` where both are written");
}

// An `entrypoint`, a `command` that is a list, or one behind the other.
void Process::words_of_command() {
  std::vector<std::string> words;
  for (const std::string_view name : {"entrypoint", "command"})
    if (const Node* const list = node_->find(name); list != nullptr)
      for (const std::string& word : Carrier::texts(*list))
        if (!is_blank(word)) words.push_back(templates_.filled(*list, word));
  if (!words.empty()) return out_.key("command", yaml_list(words));
  if (!extends_) missing_command();
}

void Process::missing_command() {
  out_.comment("decide: what this process runs");
  out_.key("command", yaml_list({"/path/to/" + out_.name()}));
  file_.carrier.left(key_, "the command", "the source has none", key_.text());
}

void Process::environment() {
  std::vector<std::string> own;
  if (const Node* const mine = node_->find("environment")) {
    for (const Node* odd : Carrier::unreadable_pairs(*mine))
      left(*odd, "environment", "an item is KEY=VALUE, a value is text");
    own = Carrier::pairs(*mine, "null", [this](const Node& at, std::string_view value) {
      return templates_.filled(at, value);
    });
  }
  const Node* const line = node_->find("command");
  if (line != nullptr && line->text().contains("PC_REPLICA_NUM")) own.push_back("REPLICA: \"${REPLICA:-1}\"");
  out_.mapping("environment", own);
}

// `.env` reaches every process that does not refuse it; `defaults` says so for those whose paths count from
// where the file lies.
void Process::env_files() {
  if (extends_) return;
  const bool refused = is_true(node_->find("is_dotenv_disabled"));
  const Node* const written = node_->find("env_file");
  const bool own = written != nullptr && !written->is_null() && !written->is_mapping();
  const bool elsewhere = node_->find("working_dir") != nullptr;
  if (!refused && !own && !elsewhere) return;
  std::string list = refused ? "" : "{path: " + yaml_text(here(".env")) + ", required: false}";
  if (own)
    for (const std::string& file : Carrier::texts(*written))
      if (!file.empty()) list += (list.empty() ? "" : ", ") + yaml_text(here(file));
  out_.key("env_file", "[" + list + "]");
}

// Paths count from where process-compose was started.
std::string Process::here(std::string_view path) const {
  return path_from(text(node_->find("working_dir")), path, file_.directory);
}

void Process::one(std::string_view name, const Entry& entry) {
  constexpr auto elsewhere = std::to_array<std::string_view>(
      {"command", "entrypoint", "environment", "env_file", "vars", "readiness_probe", "ready_log_line",
       "liveness_probe", "availability", "shutdown"});
  const Node& value = *entry.value;
  if (name.starts_with("x-")) return;
  if (std::ranges::find(elsewhere, name) != elsewhere.end()) {
    if (!has_shape(name, value)) left(entry, "it has another shape than process-compose reads");
    return;
  }
  if (name == "depends_on") return depends_on(value);
  if (name == "extends") return extends(entry);
  if (name == "success_exit_codes" && !value.is_mapping()) return exit_codes(entry);
  if (name == "namespace" && !value.is_mapping() && !Carrier::texts(value).empty())
    return out_.mapping(
        "labels", {"namespace: " +
                   text::json_string(value.is_scalar() ? text(&value) : yaml_list(Carrier::texts(value)))});
  if (value.is_scalar() && (scalar(name, entry) || flag(name, entry))) return;
  left(entry, reason(name));
}

bool Process::has_shape(std::string_view name, const Node& value) {
  if (name == "readiness_probe" || name == "liveness_probe" || name == "availability" || name == "shutdown" ||
      name == "vars")
    return value.is_mapping();
  if (name == "environment") return !value.is_scalar();
  return name == "entrypoint" || name == "command" || name == "env_file" ? !value.is_mapping()
                                                                         : value.is_scalar();
}

bool Process::scalar(std::string_view name, const Entry& entry) {
  const std::string value = text(entry.value);
  if (name == "working_dir" && value.empty())
    left(entry, "it is empty: the process runs in the directory of the file");
  else if (name == "working_dir")
    out_.key("working_dir", yaml_text(value));
  else if (name == "description")
    out_.key("description", text::json_string(value));
  else if (name == "replicas")
    replicas(entry);
  else if (name == "log_location")
    // Files of logs are in the format and not yet in the daemon: what is written here must run.
    left(entry, "belfry writes to its own output; log: {file: " + here(value) + "} is for a later version");
  else
    return false;
  return true;
}

// Keys that are true or false. Whether it was one that has been dealt with.
bool Process::flag(std::string_view name, const Entry& entry) {
  const std::string value = text(entry.value);
  if (name == "disabled" || name == "is_disabled") {
    const bool said = name == "is_disabled" && is_true(node_->find("disabled"));
    if (value == "true" && !said) out_.key("profiles", "[disabled]");
    return value == "true" || value == "false";
  }
  if (name == "is_tty" && value == "true") {
    out_.key("tty", "true");
    return true;
  }
  if (name == "is_dotenv_disabled" || name == "is_template_disabled")
    return value == "true" || value == "false";
  // With a readiness probe belfry follows it into the background.
  if (name == "is_daemon" && value == "true")
    return node_->find("readiness_probe") != nullptr || node_->find("ready_log_line") != nullptr;
  return value == "false" &&
         (name.starts_with("is_") || name.starts_with("disable") || name == "truncate_log");
}

void Process::replicas(const Entry& entry) {
  const std::string value = text(entry.value);
  const bool number = value.contains('$') || (!value.empty() && value.size() < 5 &&
                                              value.find_first_not_of("0123456789") == std::string::npos);
  if (!number)
    left(entry, "it is a number from 1 to 9999");
  else if (value.find_first_not_of('0') != std::string::npos && value != "1")
    out_.key("replicas", yaml_value(value.substr(value.find_first_not_of('0'))));
}

void Process::exit_codes(const Entry& entry) {
  std::string list;
  for (const std::string& code : Carrier::texts(*entry.value)) {
    const bool number = code.size() <= 3 && !code.empty() &&
                        code.find_first_not_of("0123456789") == std::string::npos && std::stoi(code) <= 255;
    if (!number) return left(entry, "an exit code is a number from 0 to 255");
    list += (list.empty() ? "" : ", ") + std::to_string(std::stoi(code));
  }
  out_.key("success_exit_codes", "[" + list + "]");
}

void Process::extends(const Entry& entry) {
  // Whatever could be laid under it here is no longer named by it.
  if (extends_) return out_.key("extends", yaml_text(file_.names.of(entry.value->text())));
  left(entry, file_.extended.base_of(*own_) == nullptr ? "there is no such process in this file"
                                                       : "it leads back to where it began");
}

std::string Process::reason(std::string_view name) const {
  if (name == "is_daemon") return "belfry follows a daemon that forks when it has a `ready:`";
  if (name == "is_elevated") return "belfry starts services as the user it runs as, or as `user:`";
  if (name == "launch_timeout_seconds") return "write ready: {..., timeout: 30s}";
  if (name == "is_interactive" || name == "is_foreground")
    return "write stdin: inherit for the one service that reads belfry's own input";
  if (name == "log_configuration" || name == "truncate_log")
    return "belfry writes the lines of all services to its own output";
  if (name == "disable_ansi_colors")
    return "belfry passes on what a service writes; environment: {NO_COLOR: \"1\"} asks most programs";
  if (name == "schedule") return "belfry has no timers: let cron run `belfry start`";
  if (name == "watch") return "belfry watches no files: let a file watcher run `belfry restart`";
  return "belfry has no counterpart";
}

}  // namespace belfry::config
