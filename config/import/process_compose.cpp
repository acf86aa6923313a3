#include <algorithm>
#include <array>

#include "config/import/import.hpp"
#include "config/import/process.hpp"

namespace belfry::config {
namespace {

std::set<std::string_view> awaited(const Node& processes, std::string_view what) {
  std::set<std::string_view> names;
  for (const Entry& process : processes.entries())
    if (const Node* const edges = process.value->find("depends_on"))
      for (const Entry& edge : edges->entries())
        if (const Node* const condition = edge.value->find("condition");
            condition != nullptr && condition->text().starts_with(what))
          names.insert(edge.key->text());
  return names;
}

std::set<std::string_view> disabled_ones(const Node& processes, Extended& extended) {
  std::set<std::string_view> names;
  for (const Entry& process : processes.entries())
    for (const std::string_view key : {"disabled", "is_disabled"})
      if (const Node* const disabled = extended.of(*process.value).find(key);
          disabled != nullptr && disabled->text() == "true")
        names.insert(process.key->text());
  return names;
}

// process-compose runs commands with bash unless `shell` says otherwise.
std::vector<std::string> shell_of(const Node& root) {
  std::vector<std::string> shell{"bash", "-c"};
  const Node* const written = root.find("shell");
  if (written == nullptr) return shell;
  const auto take = [&](std::string_view key, std::string& out) {
    if (const Node* const value = written->find(key); value != nullptr && !value->text().empty())
      out = value->text();
  };
  take("shell_command", shell[0]);
  take("shell_argument", shell[1]);
  return shell;
}

// It replaces variables in the whole file, unless it is told not to.
DoubleDollar double_dollar_of(const Node& root) {
  const Node* const untouched = root.find("disable_env_expansion");
  return untouched != nullptr && untouched->text() == "true" ? DoubleDollar::of_the_shell
                                                             : DoubleDollar::escape;
}

std::string reason(std::string_view key) {
  if (key == "log_level") return "belfry says what it does without levels";
  if (key == "log_length") return "belfry keeps the last lines of each service within a bound of its own";
  if (key.starts_with("log_")) return "belfry writes the lines of all services to its own output";
  if (key == "extends") return "import that file as well and name both: -c base.yaml -c this.yaml";
  if (key == "env_cmds") return "write a oneshot, or set the variable where belfry is started";
  return "belfry has no counterpart";
}

// Keys that need no counterpart: belfry refuses unknown keys, stops in reverse order and has no TUI, always.
bool is_so_anyway(std::string_view key, const Node& value) {
  const bool on = value.text() == "true";
  return key == "version" || key == "is_strict" || (key == "ordered_shutdown" && on) ||
         (key == "is_tui_disabled" && on) || (key == "disable_env_expansion" && value.is_scalar());
}

// The keys beside `processes`.
void list_rest(Carrier& carrier, const Node& root) {
  constexpr auto known =
      std::to_array<std::string_view>({"processes", "environment", "vars", "name", "shell"});
  for (const Entry& entry : root.entries()) {
    const std::string_view key = entry.key->text();
    const bool read = std::ranges::find(known, key) != known.end() || is_so_anyway(key, *entry.value);
    if (!read && !key.starts_with("x-") && !entry.value->is_null())
      carrier.left(*entry.key, "`" + std::string(key) + "`", reason(key));
  }
  if (const Node* const shell = root.find("shell"))
    for (const Entry& entry : shell->entries())
      if (entry.key->text() != "shell_command" && entry.key->text() != "shell_argument")
        carrier.left(*entry.key, "`shell." + std::string(entry.key->text()) + "`",
                     "belfry has no counterpart");
  if (const Node* const environment = root.find("environment"))
    for (const Node* odd : Carrier::unreadable_pairs(*environment))
      carrier.left(*odd, "`environment`", "an item is KEY=VALUE, a value is text");
}

// What all processes have: `.env` and the variables of the file.
void write_defaults(const Templates& templates, const Node& root, std::string& yaml) {
  const Node* const name = root.find("name");
  if (name != nullptr && name->is_scalar() && !name->text().empty())
    yaml += "name: " + service_key(name->text()) + "\n";
  yaml += "defaults:\n  env_file: [{path: .env, required: false}]\n";
  const Node* const environment = root.find("environment");
  const std::vector<std::string> all =
      environment == nullptr
          ? std::vector<std::string>()
          : Carrier::pairs(*environment, "null", [&](const Node& at, std::string_view value) {
              return templates.filled(at, value);
            });
  if (!all.empty()) yaml += "  environment:\n";
  for (const std::string& line : all) yaml += "    " + line + "\n";
}

}  // namespace

Imported import_process_compose(std::string_view text, std::string file_name, std::string directory) {
  Imported out;
  Document document({.foreign_tags = true});
  const Node* const root = parse_foreign(document, out.diagnostics, text, std::move(file_name));
  if (root == nullptr) return out;
  Carrier carrier(out.diagnostics);
  const Node* const processes = root->find("processes");
  if (processes == nullptr || !processes->is_mapping() || processes->size == 0) {
    out.diagnostics.error("no-services", root->span(), "the file has no processes",
                          "check that this is a process-compose file");
    return out;
  }
  std::string yaml =
      "# From a process-compose file. It hands `.env` to every process, and so does `defaults` here.\n";
  Templates templates(carrier);
  if (const Node* vars = root->find("vars")) templates.add(*vars);
  list_rest(carrier, *root);
  write_defaults(templates, *root, yaml);
  yaml += "services:\n";
  Extended extended(document, *processes);
  ProcessFile file{carrier,
                   extended,
                   Names(*processes),
                   std::move(directory),
                   shell_of(*root),
                   awaited(*processes, "process_completed"),
                   awaited(*processes, "process_healthy"),
                   disabled_ones(*processes, extended),
                   double_dollar_of(*root)};
  for (const Entry& entry : processes->entries()) Process(file, templates, entry).run().write(yaml);
  out.yaml = std::move(yaml);
  carrier.finish();
  return out;
}

}  // namespace belfry::config
