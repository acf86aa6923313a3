// belfry import: the file of another tool as a belfry file.
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"
#include "cli/terminal.hpp"
#include "config/import/import.hpp"

namespace belfry::cli {

int import(const Invocation& asked) {
  const std::string& kind = asked.names[0];
  const std::string& path = asked.names[1];
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const std::string why = std::error_code(errno, std::generic_category()).message();
    return report({exit_code::no_input, "cannot read " + path + ": " + why, ""});
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const config::Imported imported = kind == "compose"           ? config::import_compose(text, path)
                                    : kind == "process-compose" ? config::import_process_compose(text, path)
                                                                : config::import_procfile(text, path);
  config::print(imported.diagnostics, std::cerr, terminal_at(STDERR_FILENO).colour);
  if (imported.diagnostics.has_errors()) return exit_code::bad_config;
  std::cout << imported.yaml;
  return exit_code::ok;
}

}  // namespace belfry::cli
