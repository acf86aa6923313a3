#include <algorithm>
#include <array>

#include "config/import/import.hpp"
#include "config/import/process.hpp"

namespace belfry::config {
namespace {

std::set<std::string_view> awaited(Node const& processes, std::string_view what) {
  std::set<std::string_view> names;
  for (Entry const& process : processes.entries())
    if (Node const* const edges = process.value->find("depends_on"))
      for (Entry const& edge : edges->entries())
        if (Node const* const condition = edge.value->find("condition");
            condition != nullptr && condition->text().starts_with(what))
          names.insert(edge.key->text());
  return names;
}

std::set<std::string_view> disabled_ones(Node const& processes, Extended& extended) {
  std::set<std::string_view> names;
  for (Entry const& process : processes.entries())
    for (std::string_view const key : {"disabled", "is_disabled"})
      if (Node const* const disabled = extended.of(*process.value).find(key);
          disabled != nullptr && disabled->text() == "true")
        names.insert(process.key->text());
  return names;
}

// process-compose runs commands with bash unless `shell` says otherwise.
std::vector<std::string> shell_of(Node const& root) {
  std::vector<std::string> shell{"bash", "-c"};
  Node const* const written = root.find("shell");
  if (written == nullptr) return shell;
  auto const take = [&](std::string_view key, std::string& out) {
    if (Node const* const value = written->find(key); value != nullptr && !value->text().empty())
      out = value->text();
  };
  take("shell_command", shell[0]);
  take("shell_argument", shell[1]);
  return shell;
}

// It replaces variables in the whole file, unless it is told not to.
DoubleDollar double_dollar_of(Node const& root) {
  Node const* const untouched = root.find("disable_env_expansion");
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
bool is_so_anyway(std::string_view key, Node const& value) {
  bool const on = value.text() == "true";
  return key == "version" || key == "is_strict" || (key == "ordered_shutdown" && on) ||
         (key == "is_tui_disabled" && on) || (key == "disable_env_expansion" && value.is_scalar());
}

// The keys beside `processes`.
void list_rest(Carrier& carrier, Node const& root) {
  constexpr auto known =
      std::to_array<std::string_view>({"processes", "environment", "vars", "name", "shell"});
  for (Entry const& entry : root.entries()) {
    std::string_view const key = entry.key->text();
    bool const read = std::ranges::find(known, key) != known.end() || is_so_anyway(key, *entry.value);
    if (!read && !key.starts_with("x-") && !entry.value->is_null())
      carrier.left(*entry.key, "`" + std::string(key) + "`", reason(key));
  }
  if (Node const* const shell = root.find("shell"))
    for (Entry const& entry : shell->entries())
      if (entry.key->text() != "shell_command" && entry.key->text() != "shell_argument")
        carrier.left(*entry.key, "`shell." + std::string(entry.key->text()) + "`",
                     "belfry has no counterpart");
  if (Node const* const environment = root.find("environment"))
    for (Node const* odd : Carrier::unreadable_pairs(*environment))
      carrier.left(*odd, "`environment`", "an item is KEY=VALUE, a value is text");
}

// What all processes have: `.env` and the variables of the file.
void write_defaults(Templates const& templates, Node const& root, std::string& yaml) {
  Node const* const name = root.find("name");
  if (name != nullptr && name->is_scalar() && !name->text().empty())
    yaml += "name: " + service_key(name->text()) + "\n";
  yaml += "defaults:\n  env_file: [{path: .env, required: false}]\n";
  Node const* const environment = root.find("environment");
  std::vector<std::string> const all =
      environment == nullptr
          ? std::vector<std::string>()
          : Carrier::pairs(*environment, "null", [&](Node const& at, std::string_view value) {
              return templates.filled(at, value);
            });
  if (!all.empty()) yaml += "  environment:\n";
  for (std::string const& line : all) yaml += "    " + line + "\n";
}

}  // namespace

Imported import_process_compose(std::string_view text, std::string file_name, std::string directory) {
  Imported out;
  Document document({.foreign_tags = true});
  Node const* const root = parse_foreign(document, out.diagnostics, text, std::move(file_name));
  if (root == nullptr) return out;
  Carrier carrier(out.diagnostics);
  Node const* const processes = root->find("processes");
  if (processes == nullptr || !processes->is_mapping() || processes->size == 0) {
    out.diagnostics.error("no-services", root->span(), "the file has no processes",
                          "check that this is a process-compose file");
    return out;
  }
  std::string yaml =
      "# From a process-compose file. It hands `.env` to every process, and so does `defaults` here.\n";
  Templates templates(carrier);
  if (Node const* vars = root->find("vars")) templates.add(*vars);
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
  for (Entry const& entry : processes->entries()) Process(file, templates, entry).run().write(yaml);
  out.yaml = std::move(yaml);
  carrier.finish();
  return out;
}

}  // namespace belfry::config
