// The command line as values. CLI11 is known to the sources called …options.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "channels/time/time.hpp"
#include "cli/analyze_options.hpp"
#include "cli/event_options.hpp"
#include "cli/init_options.hpp"
#include "cli/log_options.hpp"
#include "cli/wait_options.hpp"
#include "client/failure.hpp"

namespace belfry::cli {

using client::Expected;
using client::Failure;
using client::report;

// exec: what is made of the end of its command.
struct ExecTerms {
  bool quiet = false, keep = false, strict_stop = false;
  std::optional<int> verdict_code;
  std::string annotate, junit;
};

// What was asked for. Which members count depends on the command.
struct Invocation {
  std::string command;             // "run", "status", …
  std::vector<std::string> files;  // -c, or the FILE of check and graph
  std::vector<std::string> profiles;
  std::vector<std::string> names;    // the positional arguments
  std::vector<std::string> program;  // what stands behind `--`
  std::optional<Duration> timeout;
  std::string socket, format, condition;
  std::string logs;        // exec: where the lines of the stack go
  std::string page;        // report, run, exec: the page of the run; "-": standard output
  std::string dashboard;   // report: the dashboard, frozen
  std::string trace;       // analyze, run, exec: its trace
  std::string output;      // init: where the file goes; "-": standard output
  bool force = false;      // init: whatever is there
  std::string times;       // graph: the file that says how long services take
  std::uint16_t port = 0;  // dashboard: of loopback; 0: any that is free
  bool json = false;
  bool schema = false;  // check: print the JSON Schema of the file instead
  bool strict = false;  // check: warnings are errors
  bool only = false;
  bool rolling = false;  // restart: replicas one after the other
  bool no_wait = false;
  bool dry_run = false;  // reload: only say what it would do
  bool live = false;     // status: go on looking
  bool cluster = false;  // status: of all hosts
  bool ready = false;    // status: the exit code says whether everything is
  bool man = false;      // help: the manual page
  ExecTerms exec;
  InitTerms init;  // run -- CMD
  WaitOptions wait;
  EventOptions events;
  LogOptions logs_shown;  // `logs`: which of them
  AnalyzeOptions analyze;
};

// A text that is all there is to say: help or the version.
struct Text {
  std::string text;
};

// `arguments` without the program's name. A Failure is a usage error.
[[nodiscard]] Expected<std::variant<Invocation, Text>> parse(std::vector<std::string> arguments);

// What completion needs: the commands, and the options of each.
struct CommandOptions {
  std::string command, description;
  std::vector<std::string> options;     // "--json", "-c"
  std::vector<std::string> with_value;  // those of them that a value follows
};
[[nodiscard]] std::vector<CommandOptions> all_commands();

// The words that may follow `option` of `command`, or be its first argument where `option` is empty. None
// where any word may.
[[nodiscard]] std::span<const std::string_view> choices_of(std::string_view command, std::string_view option);

}  // namespace belfry::cli
