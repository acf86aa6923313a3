#include "system/command_run.hpp"

#include <csignal>
#include <utility>

#include "channels/loop.hpp"
#include "channels/sleep.hpp"

namespace belfry::system {

namespace {

constexpr Duration sigkill_takes = std::chrono::seconds(2);

}  // namespace

CommandRun::CommandRun(Loop& loop, Processes& processes, std::string marker)
    : loop_(loop),
      processes_(processes),
      marker_(std::move(marker)),
      exited_(loop, "command exit"),
      gone_(loop, "command gone") {}

CommandRun::~CommandRun() {
  if (leader_ != 0 && !exited_.ended()) processes_.disown(leader_);
  if (watched_) processes_.unwatch_tree(*this);
}

std::expected<pid_t, SpawnError> CommandRun::begin(Launch& launch, ino_t output) {
  output_ = output;
  launch.set_marker(marker_);
  ExitWatcher& watcher = *this;
  auto pid = processes_.spawn(launch, watcher);
  if (pid) leader_ = *pid;
  return pid;
}

Task<Result<void>> CommandRun::clear() {
  const bool had_ended = exited_.ended();
  processes_.watch_tree(tree(), *this);
  watched_ = true;
  // Whether anybody is left is known a turn after the exit, and mostly nobody is.
  if (had_ended) co_await yield(loop_);
  if (gone_.ended()) co_return Result<void>{};
  if (had_ended) left_behind_ = processes_.survivors(tree());
  processes_.signal(tree(), SIGKILL, Scope::tree);
  Context patience(loop_);  // a killed process is reaped soon, whatever else is cancelled
  Context bounded(patience, loop_.now() + sigkill_takes);
  const Outcome gone = co_await gone_.wait(bounded);
  if (gone.rung()) co_return Result<void>{};
  const std::string who = text_of(processes_.survivors(tree()));
  co_return std::unexpected(Error::failed("cannot kill " + (who.empty() ? "what it left" : who)));
}

void CommandRun::on_exit(pid_t, ExitStatus status) { exited_.ring(status); }

void CommandRun::on_tree_empty(pid_t) {
  watched_ = false;
  gone_.ring();
}

}  // namespace belfry::system
