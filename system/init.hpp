// `belfry run -- CMD`: an init for one command, as PID 1 or not. A plain loop over sigwaitinfo(2): no file is
// read, no socket is opened and no event loop runs.
#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "system/process.hpp"

namespace belfry::system {

struct InitOptions {
  std::vector<std::string> command;  // not empty
  bool single_child = false;         // signals go to CMD alone, not to its process group
  std::map<int, int> rewrites;       // signal received -> signal passed on; 0: none
  int parent_death_signal = 0;       // what belfry gets, and passes on, when its parent dies; 0: none
  Duration kill_after = std::chrono::seconds(10);  // between SIGTERM and SIGKILL for what CMD leaves behind
};

struct NotRun {
  int errnum = 0;
  bool by_exec = false;  // execvp(3) has refused CMD; else there is no process or pipe for it
};

// Runs CMD to its end, and ends what it leaves behind. Blocks every signal; for a program with one thread
// that does nothing else.
[[nodiscard]] std::expected<ExitStatus, NotRun> run_as_init(const InitOptions& options);

}  // namespace belfry::system
