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

std::set<std::string_view> disabled_ones(Node const& processes) {
  std::set<std::string_view> names;
  for (Entry const& process : processes.entries())
    if (Node const* const disabled = process.value->find("disabled");
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

// The keys beside `processes`, and what they mean for all of them.
void read_rest(Carrier& carrier, Templates const& templates, Node const& root, std::string& yaml) {
  constexpr auto known =
      std::to_array<std::string_view>({"version", "processes", "environment", "vars", "name", "log_level",
                                       "is_strict", "disable_env_expansion", "shell", "log_length"});
  for (Entry const& entry : root.entries()) {
    std::string_view const key = entry.key->text();
    if (std::ranges::find(known, key) != known.end() || key.starts_with("x-")) continue;
    carrier.left(*entry.key, "`" + std::string(key) + "`",
                 key.starts_with("log_") ? "belfry writes the lines of all services to its own output"
                 : key == "extends"      ? "import that file as well and name both: -c base.yaml -c this.yaml"
                                         : "belfry has no counterpart");
  }
  Node const* const name = root.find("name");
  if (name != nullptr && name->is_scalar() && !name->text().empty())
    yaml += "name: " + service_key(name->text()) + "\n";
  Node const* const environment = root.find("environment");
  std::vector<std::string> const all =
      environment == nullptr
          ? std::vector<std::string>()
          : Carrier::pairs(*environment, "null", [&](Node const& at, std::string_view value) {
              return templates.filled(at, value);
            });
  if (all.empty()) return;
  yaml += "defaults:\n  environment:\n";
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
      "# From a process-compose file. It hands `.env` to every process; belfry reads it for variables of "
      "this\n# "
      "file only: add env_file: [.env] where a service needs it.\n";
  Templates templates(carrier);
  if (Node const* vars = root->find("vars")) templates.add(*vars);
  read_rest(carrier, templates, *root, yaml);
  yaml += "services:\n";
  ProcessFile file{Names(*processes),
                   std::move(directory),
                   shell_of(*root),
                   awaited(*processes, "process_completed"),
                   awaited(*processes, "process_healthy"),
                   disabled_ones(*processes),
                   double_dollar_of(*root)};
  for (Entry const& entry : processes->entries()) import_process(carrier, templates, entry, file).write(yaml);
  out.yaml = std::move(yaml);
  carrier.finish();
  return out;
}

}  // namespace belfry::config
