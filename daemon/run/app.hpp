// The daemon as a whole: `belfry run` and `belfry exec`.
#pragma once

#include <chrono>
#include <optional>
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
  bool quiet = false;               // these lines are shown only when something has failed
  bool keep = false;                // when the command has failed, the stack stays up until a signal
  bool strict_stop = false;         // a service that had to be killed is a failure
  std::optional<int> verdict_code;  // instead of the command's, when it has failed and a service had trouble
  std::string annotate;             // "github", "gitlab"; empty: nothing
  std::string junit;                // the command's report, which gets the verdict as a property
};

// Both return the exit code; whatever there was to say has been printed. Call them from main's thread,
// once, before any other thread exists.
int run(const RunOptions& options);
int exec(const ExecOptions& options);

}  // namespace belfry::daemon
