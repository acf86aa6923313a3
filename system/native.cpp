#include "system/native.hpp"

#include <unistd.h>

#include "system/process_trees.hpp"
#include "system/reaper.hpp"
#include "system/spawner.hpp"

namespace belfry::system {

struct NativeProcesses::State final : ReapListener {
  State(Loop& loop, Signals& signals, Syscalls& syscalls)
      : spawner(syscalls), trees(loop, syscalls), reaper(loop, signals, syscalls, *this) {
    trees.set_reaper(reaper);
    // As pid 1 orphans come by themselves. A refusal leaves groups as the only proof: nothing to do about.
    if (::getpid() != 1) syscalls.become_subreaper();
  }

  void on_reaped(pid_t pid, bool known) override { trees.reaped(pid, known); }

  Spawner spawner;
  ProcessTrees trees;
  Reaper reaper;
};

NativeProcesses::NativeProcesses(Loop& loop, Signals& signals)
    : NativeProcesses(loop, signals, Syscalls::real()) {}

NativeProcesses::NativeProcesses(Loop& loop, Signals& signals, Syscalls& syscalls)
    : state_(std::make_unique<State>(loop, signals, syscalls)) {}

NativeProcesses::~NativeProcesses() = default;

std::expected<pid_t, SpawnError> NativeProcesses::spawn(Launch& launch, ExitWatcher& watcher) {
  auto spawned = state_->spawner.spawn(launch);
  if (spawned) state_->reaper.add(*spawned, watcher);
  return spawned;
}

void NativeProcesses::disown(pid_t pid) { state_->reaper.disown(pid); }

bool NativeProcesses::signal(const TreeId& tree, int signo, Scope scope) {
  return state_->trees.signal(tree, signo, scope);
}

bool NativeProcesses::tree_alive(const TreeId& tree) { return state_->trees.alive(tree); }

void NativeProcesses::watch_tree(const TreeId& tree, TreeWatcher& watcher) {
  state_->trees.watch(tree, watcher);
}

void NativeProcesses::unwatch_tree(TreeWatcher& watcher) { state_->trees.unwatch(watcher); }

std::vector<Survivor> NativeProcesses::survivors(const TreeId& tree) { return state_->trees.survivors(tree); }

std::vector<Survivor> NativeProcesses::strays() { return state_->trees.strays(); }

}  // namespace belfry::system
