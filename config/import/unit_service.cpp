#include "config/import/unit_service.hpp"

#include <algorithm>

#include "config/document/interpolate.hpp"
#include "config/import/unit_values.hpp"
#include "text/escape.hpp"

namespace belfry::config {

UnitService::UnitService(UnitSet& set, const Unit& unit)
    : set_(set), unit_(unit), out_(set.labels.at(unit.name), set.names) {}

ServiceWriter UnitService::run() {
  notes();
  if (unit_.kind == "target") {
    out_.key("type", "gate");
    depends_on();
    list_rest();
    return std::move(out_);
  }
  type_ = type_of();
  oneshot_ = type_ == "oneshot";
  if (oneshot_) out_.key("type", "oneshot");
  command();
  depends_on();
  sockets();
  readiness(type_);
  hook("ExecStartPre", "pre_start");
  hook("ExecStartPost", "post_start");
  stop_commands();
  hook("ExecStopPost", "post_stop");
  reload();
  environment();
  restart();
  exit_codes();
  stop();
  messages();
  identity();
  limits();
  cgroup();
  capabilities();
  directories("RuntimeDirectory", "runtime_directory");
  directories("StateDirectory", "state_directory");
  credentials();
  sandbox();
  output();
  input();
  list_rest();
  return std::move(out_);
}

void UnitService::left(const UnitSetting& at, std::string why) {
  left(at, "`" + std::string(at.key()) + "=`", std::move(why));
}

void UnitService::left(const UnitSetting& at, std::string_view what, std::string why) {
  set_.carrier.left(at.at(), std::string(what), std::move(why), unit_.name);
  out_.omit(at.key(), at.at().line);
}

std::vector<ExecLine> UnitService::lines(std::string_view key) {
  std::vector<ExecLine> all = exec_lines(unit_, set_.specifiers, every(key));
  for (const ExecLine& line : all) check(line);
  return all;
}

bool UnitService::is_on(std::string_view key) const {
  const UnitSetting* const at = one(key);
  return at != nullptr && unit_boolean(at->value()).value_or(false);
}

// What of a line no command of belfry can say.
void UnitService::check(const ExecLine& line) {
  const std::string key(line.at->key());
  if (line.prefixes.find_first_of("+!") != std::string::npos)
    left(*line.at, "`+` or `!` before the path in `" + key + "=`",
         "belfry runs hooks as the service's user: give root's part a oneshot of its own");
  if (line.prefixes.contains('|'))
    left(*line.at, "`|` before the path in `" + key + "=`", "write the shell into the command");
  if (line.has_name_of_its_own)
    left(*line.at, "the name that `@` gives in `" + key + "=`", "a program is called by its path");
  if (line.unclosed) left(*line.at, "a quote without its end in `" + key + "=`", "close it in the command");
}

void UnitService::notes() {
  if (const UnitSetting* const text = unit_.last("Unit", "Description"))
    out_.key("description", yaml_text(filled(*text)));
  std::string pages;
  for (const UnitSetting* const at : unit_.all("Unit", "Documentation"))
    pages += (pages.empty() ? "" : " ") + filled(*at);
  if (!pages.empty()) out_.mapping("labels", {"documentation: " + yaml_text(pages)});
}

// Without `Type=`: what the rest of the unit makes of it.
std::string UnitService::type_of() {
  const UnitSetting* const at = one("Type");
  if (unit_.kind == "network" || unit_.kind == "volume") return "oneshot";
  if (unit_.kind == "container") return at != nullptr && at->value() == "oneshot" ? "oneshot" : "container";
  if (at == nullptr) {
    if (unit_.last("Service", "BusName") != nullptr) return "dbus";
    return every("ExecStart").empty() ? "oneshot" : "simple";
  }
  const std::string_view type = at->value();
  for (const std::string_view known :
       {"simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload"})
    if (type == known) return std::string(type);
  left(*at, "`Type=" + std::string(type.substr(0, 60)) + "`",
       type == "idle" ? "belfry does not wait until nothing else starts" : "belfry takes it for simple");
  return "simple";
}

void UnitService::command() {
  if (unit_.kind == "container") return container();
  if (unit_.kind == "network" || unit_.kind == "volume") return resource();
  std::vector<ExecLine> all = lines("ExecStart");
  if (all.size() > 1 && !oneshot_) {
    for (std::size_t i = 0; i + 1 < all.size(); ++i)
      left(*all[i].at, "another `ExecStart=`", "only a oneshot has several: give it a service of its own");
    all.erase(all.begin(), all.end() - 1);
  }
  if (all.empty()) {
    if (!oneshot_ || !unit_.has("Service"))
      set_.carrier.left(unit_.at, "the command", "the unit has no ExecStart=: write `command`", unit_.name);
    if (!oneshot_) out_.comment("decide: what it runs");
    return out_.key("command", "[\"true\"]");
  }
  std::vector<OneCommand> commands;
  for (ExecLine& line : all) {
    if (line.command.ignores_failure && !oneshot_) {
      left(*line.at, "`-` before the path in `ExecStart=`", "write `restart: no`, or success_exit_codes");
      line.command.ignores_failure = false;
    }
    commands.push_back(std::move(line.command));
  }
  out_.key("command", commands_text(commands, true));
}

void UnitService::hook(std::string_view key, std::string_view name) {
  std::vector<OneCommand> commands;
  if (key == "ExecStopPost") commands = std::move(after_stop_);
  for (ExecLine& line : lines(key)) {
    if (line.names_main_process)
      left(*line.at, "a command with $MAINPID", "belfry tells hooks no process id");
    else
      commands.push_back(std::move(line.command));
  }
  if (!commands.empty()) out_.key(name, commands_text(commands, true));
}

void UnitService::reload() {
  if (type_ == "notify-reload") {
    const UnitSetting* const at = one("ReloadSignal");
    const auto signal = at == nullptr ? std::optional<std::string>("SIGHUP") : unit_signal(at->value());
    if (!signal) left(*at, "it is the name of a signal");
    return out_.key("reload", yaml_text(signal.value_or("SIGHUP")));
  }
  std::vector<OneCommand> commands;
  std::string signal;
  for (ExecLine& line : lines("ExecReload")) {
    if (oneshot_ || reloads_)
      left(*line.at, reloads_ ? "the reload of the container counts" : "a oneshot does not run on");
    else if (!line.signal.empty())
      signal = line.signal;
    else if (line.names_main_process)
      left(*line.at, "a command with $MAINPID", "belfry tells hooks no process id");
    else
      commands.push_back(std::move(line.command));
  }
  if (!commands.empty())
    out_.mapping("reload", {"command: " + commands_text(commands, true)});
  else if (!signal.empty())
    out_.key("reload", signal);
}

// `ExecStop=kill -INT $MAINPID` is the signal that asks it to stop; what else is there runs before the
// signal.
void UnitService::stop_commands() {
  std::vector<OneCommand> commands;
  for (ExecLine& line : lines("ExecStop")) {
    if (!line.signal.empty())
      stop_signal_ = line.signal;
    else if (line.names_main_process)
      left(*line.at, "a command with $MAINPID", "belfry tells hooks no process id");
    else
      commands.push_back(std::move(line.command));
  }
  if (commands.empty()) return;
  // It is run when the unit stops; a oneshot of belfry has ended then.
  if (oneshot_)
    return left(*every("ExecStop").front(),
                "a oneshot has ended when the stack stops: make it the "
                "post_stop of the service it is for");
  out_.key("pre_stop", commands_text(commands, true));
}

void UnitService::depends_on() {
  std::vector<std::string> entries;
  for (const UnitEdge& edge : set_.edges.of(unit_)) {
    const std::string name = yaml_text(set_.names.of(set_.labels.at(edge.to->name)));
    const UnitSetting* const type = edge.to->last("Service", "Type");
    const bool ends = edge.to->kind == "target" || edge.to->kind == "network" || edge.to->kind == "volume" ||
                      (type != nullptr && type->value() == "oneshot") ||
                      (edge.to->kind == "service" && edge.to->all("Service", "ExecStart").empty());
    std::vector<std::string> terms;
    if (!edge.is_ordered && !ends) terms.emplace_back("condition: started");
    if (!edge.is_required && !edge.is_bound) terms.emplace_back("required: false");
    // A gate counts its members without being told to.
    if (unit_.kind != "target" && (edge.is_bound || edge.is_part))
      terms.push_back(edge.is_bound ? "on_loss: stop" : "on_loss: restart");
    std::string line = name + ": ";
    if (terms.empty()) line += ends && edge.to->kind != "target" ? "completed" : "ready";
    for (std::size_t i = 0; i < terms.size(); ++i) line += (i == 0 ? "{" : ", ") + terms[i];
    entries.push_back(line + (terms.empty() ? "" : "}"));
  }
  out_.mapping("depends_on", entries);
}

void UnitService::environment() {
  environment_files();
  std::vector<std::string> entries;
  std::unordered_map<std::string, std::size_t> index;
  const std::vector<const UnitSetting*> all = every("Environment");
  for (const UnitSetting* const at : all)
    for (const std::string& word : unit_words(at->value())) {
      const auto equals = word.find('=');
      const std::string name = word.substr(0, equals);
      if (equals == std::string::npos || !is_variable_name(name)) {
        left(*at, "an item of `Environment=`", "it is KEY=VALUE");
        continue;
      }
      std::string line = name + ": " + text::json_string(filled(*at, word.substr(equals + 1)));
      const auto [known, fresh] = index.emplace(name, entries.size());
      if (fresh)
        entries.push_back(std::move(line));
      else
        entries[known->second] = std::move(line);
    }
  out_.mapping("environment", entries);
  (void)every("PassEnvironment");  // belfry's own environment reaches every service
}

void UnitService::environment_files() {
  std::vector<std::string> entries;
  for (const UnitSetting* const at : every("EnvironmentFile")) {
    const bool optional = at->value().starts_with('-');
    const std::string_view path = trimmed(at->value().substr(optional ? 1 : 0));
    if (path.find_first_of("*?[") != std::string_view::npos || !path.starts_with('/'))
      left(*at, path.starts_with('/') ? "name the files that the pattern means" : "its path is absolute");
    else
      entries.push_back("{path: " + yaml_text(filled(*at, path)) + (optional ? ", required: false}" : "}"));
  }
  if (entries.empty()) return;
  out_.items("env_file", entries);
  if (const auto set = every("Environment"); !set.empty())
    left(*set.front(), "that `EnvironmentFile=` wins over `Environment=`",
         "in belfry `environment` wins: remove there what the file sets");
}

}  // namespace belfry::config
