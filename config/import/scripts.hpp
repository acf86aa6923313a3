// What a project runs while it is worked on: scripts of package.json, recipes of a justfile, targets of a
// Makefile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::config {

struct Script {
  std::string name;     // "dev"
  std::string command;  // what it runs, as far as the file says; empty if it does not
  std::uint32_t line = 0;
  bool needs_arguments = false;  // a recipe that cannot be run without
};

// Those that stay up, by their names: dev, serve, start, run (of these the first) and worker.
[[nodiscard]] std::vector<Script> lasting(const std::vector<Script>& all);

// `readable` is set to whether the text is a file of that kind.
[[nodiscard]] std::vector<Script> package_scripts(std::string_view text, bool& readable);
// "pnpm" where the file says `packageManager: pnpm@9`; empty if it does not say.
[[nodiscard]] std::string package_manager(std::string_view text);
[[nodiscard]] std::vector<Script> just_recipes(std::string_view text);
[[nodiscard]] std::vector<Script> make_targets(std::string_view text);

// The port that a command line names: `--port 3000`, `-p 3000`, `PORT=3000`; empty if none.
[[nodiscard]] std::string port_in(std::string_view command);

}  // namespace belfry::config
