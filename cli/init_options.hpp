// What `belfry run -- COMMAND` may be told of the command.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "client/failure.hpp"

namespace CLI {
class App;
}

namespace belfry::cli {

// As it was written.
struct InitWords {
  bool single_child = false;
  std::vector<std::string> rewrites;  // "TERM:QUIT"
  std::vector<int> remapped_exits;
  std::string parent_death_signal, kill_after;
  friend bool operator==(const InitWords&, const InitWords&) = default;
};

// As it is meant: what system/init.hpp says of each.
struct InitTerms {
  bool single_child = false;
  std::map<int, int> rewrites;
  std::vector<int> remapped_exits;  // codes of the command that become 0
  int parent_death_signal = 0;
  std::optional<Duration> kill_after;
};

void add_init_options(CLI::App& app, InitWords& words);

// Failure: 64.
[[nodiscard]] client::Expected<InitTerms> init_terms(const InitWords& words);

}  // namespace belfry::cli
