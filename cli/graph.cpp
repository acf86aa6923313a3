// belfry graph: who waits for whom.
#include <unistd.h>

#include <iostream>
#include <utility>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/terminal.hpp"
#include "config/document/files.hpp"
#include "config/graph/render.hpp"
#include "config/graph/times.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"

namespace belfry::cli {

namespace {

// What --times names; no function without it.
Expected<config::ServiceTime> times_of(const Invocation& asked) {
  if (asked.times.empty()) return config::ServiceTime();
  const std::string path = asked.times == "-" ? "/dev/stdin" : asked.times;
  const auto text = config::read_file(path, 16U << 20U, config::Accept::files_and_pipes);
  if (!text)
    return std::unexpected(
        Failure{exit_code::no_input, "cannot read " + path + ": " + text.error().message, ""});
  auto times = config::parse_times(*text);
  if (!times) {
    return std::unexpected(Failure{exit_code::bad_config,
                                   "cannot read times in " + path + ": " + times.error().message,
                                   times.error().help});
  }
  return [known = std::move(*times)](const config::Service& service) -> std::optional<config::Duration> {
    const auto found = known.find(service.name);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  };
}

}  // namespace

int graph(const Invocation& asked) {
  const auto loaded = load(asked);
  if (!loaded) return report(loaded.error());
  const auto times = times_of(asked);
  if (!times) return report(times.error());
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
    picture = config::graph_json(loaded->stack, *times);
  } else {
    picture = config::graph_text(loaded->stack, *times);
  }
  std::cout << text::visible_lines(picture);
  if (!picture.ends_with('\n')) std::cout << '\n';
  return exit_code::ok;
}

}  // namespace belfry::cli
