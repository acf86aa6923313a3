// The page and the trace of a run as files: of `run` and `exec` at their end, of a daemon at any time.
#pragma once

#include <optional>
#include <string>

#include "cli/options.hpp"
#include "cli/run_record.hpp"

namespace belfry::cli {

// What the daemon that runs says of its run, else what its history knows of the last one.
[[nodiscard]] Expected<report::Run> find_run(const Invocation& asked);

// `-`: standard output. Failure: 71.
[[nodiscard]] Expected<void> write_file(const std::string& path, const std::string& text);

// Owner: the command that runs the daemon. Lifecycle: look() while it ends, write() when it has ended.
class RunFiles {
 public:
  // Empty: there is to be none.
  RunFiles(std::string page, std::string trace) : page_(std::move(page)), trace_(std::move(trace)) {}
  [[nodiscard]] bool are_wanted() const { return !page_.empty() || !trace_.empty(); }

  // When something has ended the run, and when nothing of it runs any more.
  void look_at_the_ending(const RunSource& source);
  void look_at_the_end(const RunSource& source, const std::string& reason, const std::string& blame);
  // A run that has never begun leaves nothing to be written. What cannot be written is said; the exit code of
  // a command is not for the sake of a file.
  void write(int code);

 private:
  void remember(Expected<void> taken);

  std::string page_, trace_;
  RunRecord record_;
  std::optional<Failure> failure_;
  std::string reason_, blame_;
  bool has_ended_ = false;
};

}  // namespace belfry::cli
