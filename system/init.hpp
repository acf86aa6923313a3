// `belfry run -- CMD`: an init for one command, as PID 1 or not. A plain loop over sigwaitinfo(2): no file is
// read, no socket is opened and no event loop runs.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace belfry::system {

struct InitOptions {
  std::vector<std::string> command;      // not empty
  bool single_child = false;             // signals go to CMD alone, not to its process group
  std::map<int, int> rewrites;           // signal received -> signal passed on; 0: none
  std::vector<int> remapped_exits;       // codes of CMD that become 0
  int parent_death_signal = 0;           // what belfry gets, and passes on, when its parent dies; 0: none
  std::chrono::seconds time_to_end{10};  // between SIGTERM and SIGKILL for what CMD leaves behind
};

// Runs CMD to its end and returns what belfry exits with: CMD's code, 128+n after signal n, 127 or 126 where
// CMD cannot be run. Blocks every signal; for a program with one thread that does nothing else.
[[nodiscard]] int run_as_init(const InitOptions& options);

}  // namespace belfry::system
