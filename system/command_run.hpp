// One command that belfry runs for a purpose of its own (an `exec` probe), with everything that it starts.
//
// What a run of a service is proved to have left behind, it is proved of here: its tree has a group and a
// marker of its own, and a subreaper shim where the launch says `isolate`; when the command has ended,
// whatever is left of its tree is killed, and it is over when nobody is left. Otherwise a probe that puts
// something into the background would leave one more process with every attempt.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "system/launch.hpp"
#include "system/processes.hpp"

namespace belfry::system {

// Owner: whoever runs the command, on the frame that waits for it.
// Lifecycle: begin(), a wait for exited(), clear(). Destroyed without clear() it lets go of what still runs.
// Cancellation: the wait for exited() by its context; clear() is what a cancelled one does next, and is
// bounded.
class CommandRun final : ExitWatcher, TreeWatcher {
 public:
  // `marker`: BELFRY_SERVICE of its processes, shared with nothing else that may run at the same time.
  CommandRun(Loop& loop, Processes& processes, std::string marker);
  ~CommandRun();
  CommandRun(const CommandRun&) = delete;
  CommandRun& operator=(const CommandRun&) = delete;

  // `output`: the pipe that this command alone writes to, by its inode; who has it open is of the command. 0:
  // there is none.
  std::expected<pid_t, SpawnError> begin(Launch& launch, ino_t output = 0);
  // How the command itself has ended. The bell lives as long as the run.
  [[nodiscard]] Bell<ExitStatus>& exited() { return exited_; }
  // Kills what is left, the command included, and returns when nothing is. After two seconds it gives up on
  // what the kernel does not end; the error names it. Precondition: begin() has succeeded.
  Task<Result<void>> clear();
  // Whoever had to be killed by clear() after the command had ended, for messages.
  [[nodiscard]] const std::vector<Survivor>& left_behind() const { return left_behind_; }

 private:
  [[nodiscard]] TreeId tree() const { return {.leader = leader_, .marker = marker_, .log_pipe = output_}; }
  void on_exit(pid_t pid, ExitStatus status) override;
  void on_tree_empty(pid_t leader) override;

  Loop& loop_;
  Processes& processes_;
  std::string marker_;
  Bell<ExitStatus> exited_;
  Bell<> gone_;  // with everything it started
  std::vector<Survivor> left_behind_;
  pid_t leader_ = 0;
  ino_t output_ = 0;
  bool watched_ = false;
};

}  // namespace belfry::system
