// belfry import: the files of another tool as a belfry file.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <system_error>

#include "cli/commands.hpp"
#include "cli/foreign_files.hpp"
#include "cli/terminal.hpp"
#include "config/decode/schema.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::cli {

int import(const Invocation& asked) {
  const std::string& kind = asked.names[0];
  const auto files = read_foreign(kind, {asked.names.begin() + 1, asked.names.end()});
  if (!files) return report(files.error());
  const config::Imported imported = imported_from(kind, *files);
  config::print(imported.diagnostics, std::cerr, terminal_at(STDERR_FILENO).colour);
  if (imported.diagnostics.has_errors()) return exit_code::bad_config;
  std::cout << config::schema_modeline << imported.yaml;
  return exit_code::ok;
}

}  // namespace belfry::cli
