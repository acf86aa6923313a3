// belfry import: the file of another tool as a belfry file.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <system_error>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "config/decode/schema.hpp"
#include "config/document/document.hpp"
#include "config/document/files.hpp"
#include "config/import/import.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::cli {

int import(const Invocation& asked) {
  const std::string& kind = asked.names[0];
  const std::string path = asked.names[1] == "-" ? "/dev/stdin" : asked.names[1];
  const auto text = config::read_file(path, config::DocumentLimits{}.bytes, config::Accept::files_and_pipes);
  if (!text) return report({exit_code::no_input, "cannot read " + path + ": " + text.error().message, ""});
  std::error_code ignored;
  // Paths of what comes through a pipe count from here.
  const auto directory = asked.names[1] == "-" ? std::filesystem::current_path(ignored)
                                               : std::filesystem::absolute(path, ignored).parent_path();
  const config::Imported imported =
      kind == "compose"           ? config::import_compose(*text, path, directory.string())
      : kind == "process-compose" ? config::import_process_compose(*text, path, directory.string())
                                  : config::import_procfile(*text, path);
  config::print(imported.diagnostics, std::cerr, terminal_at(STDERR_FILENO).colour);
  if (imported.diagnostics.has_errors()) return exit_code::bad_config;
  std::cout << config::schema_modeline << imported.yaml;
  return exit_code::ok;
}

}  // namespace belfry::cli
