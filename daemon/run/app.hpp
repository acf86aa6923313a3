// The daemon as a whole: `belfry run` and `belfry exec`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::daemon {

// A GET of the API, asked from within as through the control socket: the body in pieces, until there is no
// more or `take` says that it is enough. Returns the status.
enum class AnswerForm : std::uint8_t { json, events };
using AskApi = std::function<int(const std::string& target, AnswerForm form,
                                 const std::function<bool(std::string_view)>& take)>;

// What there is to see of a run whose end has come.
struct LastLook {
  enum class Moment : std::uint8_t {
    ending,  // something has ended it, and everything is still as it was
    over,    // nothing runs any more
  };
  Moment moment = Moment::ending;
  std::string reason{};  // why it ends
  std::string blame{};   // of `exec`, when its command has failed: what was wrong with the stack meanwhile
  AskApi ask{};
};

struct RunOptions {
  std::vector<std::string> files;     // empty: ./belfry.yaml, ./belfry.yml, /etc/belfry/belfry.yaml
  std::vector<std::string> services;  // empty: all that are enabled
  std::vector<std::string> profiles;
  // Where the lines of belfry and its services go. Of run(): a file that is kept small, or standard output
  // when empty. Of exec(): a file that is appended to, standard error when empty, standard output for `-`.
  std::string logs;
  // Called once for each moment, on the loop's thread: for whoever writes down what is about to be gone.
  std::function<void(const LastLook&)> witness{};
};

struct ExecOptions : RunOptions {
  Duration timeout{std::chrono::minutes(5)};
  std::vector<std::string> command;
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
