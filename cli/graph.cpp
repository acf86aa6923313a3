// belfry graph: who waits for whom.
#include <unistd.h>

#include <iostream>

#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"
#include "cli/files.hpp"
#include "cli/terminal.hpp"
#include "config/render.hpp"

namespace belfry::cli {

int graph(const Invocation& asked) {
  const auto loaded = load(asked);
  if (!loaded) return report(loaded.error());
  if (loaded->diagnostics.has_errors()) {
    config::print(loaded->diagnostics, std::cerr, terminal_at(STDERR_FILENO).colour);
    return exit_code::bad_config;
  }
  std::string picture;
  if (asked.format == "dot") {
    picture = config::graph_dot(loaded->stack);
  } else if (asked.format == "mermaid") {
    picture = config::graph_mermaid(loaded->stack);
  } else if (asked.format == "json") {
    picture = config::graph_json(loaded->stack);
  } else {
    picture = config::graph_text(loaded->stack);
  }
  std::cout << picture;
  if (!picture.ends_with('\n')) std::cout << '\n';
  return exit_code::ok;
}

}  // namespace belfry::cli
