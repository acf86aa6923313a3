// The daemon as a whole: `belfry run` and `belfry exec`.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::daemon {

struct RunOptions {
  std::vector<std::string> files;     // empty: ./belfry.yaml, ./belfry.yml, /etc/belfry/belfry.yaml
  std::vector<std::string> services;  // empty: all that are enabled
  std::vector<std::string> profiles;
};

struct ExecOptions : RunOptions {
  Duration timeout{std::chrono::minutes(5)};
  std::vector<std::string> command;
  // Where the lines of belfry and its services go; empty: standard error; `-`: standard output.
  std::string logs;
};

// Both return the exit code; whatever there was to say has been printed. Call them from main's thread,
// once, before any other thread exists.
int run(const RunOptions& options);
int exec(const ExecOptions& options);

}  // namespace belfry::daemon
