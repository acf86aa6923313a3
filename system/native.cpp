#include "system/native.hpp"

#include <unistd.h>

#include <cerrno>

#include "system/process_handle.hpp"
#include "system/process_trees.hpp"
#include "system/reaper.hpp"
#include "system/spawner.hpp"
#include "system/subreaper_shims.hpp"

namespace belfry::system {

namespace {

// Of one that is not our child: the shim's, or one that a service named. The state in /proc does not say it:
// that is the first thread's.
bool process_has_ended(pid_t pid) {
  const auto process = ProcessHandle::open(pid);
  return process ? process->has_ended() : process.error() == ESRCH;
}

}  // namespace

struct NativeProcesses::State final : ReapListener, SubreaperShims::Heir {
  State(Loop& loop, Signals& signals, Syscalls& syscalls)
      : spawner(syscalls),
        trees(loop, syscalls),
        reaper(loop, signals, syscalls, *this),
        shims(loop, syscalls, reaper, *this) {
    trees.set_reaper(reaper);
    // As pid 1 orphans come by themselves. A refusal leaves groups as the only proof: nothing to do about.
    if (::getpid() != 1) syscalls.become_subreaper();
  }

  // A shim was killed: what was below it is found as any other tree is, as far as that can be.
  void inherit(const TreeId& tree, TreeWatcher& watcher) override { trees.watch(tree, watcher); }

  void on_reaped(pid_t pid, bool known) override { trees.reaped(pid, known); }

  GuardLedger* ledger = nullptr;  // null: nobody guards
  Spawner spawner;
  ProcessTrees trees;
  Reaper reaper;
  SubreaperShims shims;
};

NativeProcesses::NativeProcesses(Loop& loop, Signals& signals)
    : NativeProcesses(loop, signals, Syscalls::real()) {}

NativeProcesses::NativeProcesses(Loop& loop, Signals& signals, Syscalls& syscalls)
    : state_(std::make_unique<State>(loop, signals, syscalls)) {}

NativeProcesses::~NativeProcesses() = default;

void NativeProcesses::write_down_in(GuardLedger& ledger) {
  state_->ledger = &ledger;
  state_->trees.set_ledger(ledger);
  state_->shims.set_ledger(ledger);
}

void NativeProcesses::tell_usage_to(UsageListener& listener) {
  state_->reaper.usage_listener = &listener;
  state_->shims.usage_listener = &listener;
}

std::expected<pid_t, SpawnError> NativeProcesses::spawn(Launch& launch, ExitWatcher& watcher) {
  SpawnedShim shim;
  auto spawned = state_->spawner.spawn(launch, &shim);
  if (!spawned) return spawned;
  if (state_->ledger != nullptr) state_->ledger->add(*spawned);
  if (shim.pid != 0)
    state_->shims.add(*spawned, shim, watcher);
  else
    state_->reaper.add(*spawned, watcher);
  return spawned;
}

void NativeProcesses::follow(pid_t pid, ExitWatcher& watcher) { state_->reaper.follow(pid, watcher); }

void NativeProcesses::unfollow(pid_t pid) { state_->reaper.unfollow(pid); }

void NativeProcesses::disown(pid_t pid) {
  if (state_->shims.keeps(pid))
    state_->shims.disown(pid);
  else
    state_->reaper.disown(pid);
}

bool NativeProcesses::has_ended(pid_t pid) {
  return state_->reaper.owns(pid) ? state_->reaper.has_ended(pid) : process_has_ended(pid);
}

bool NativeProcesses::signal(const TreeId& tree, int signo, Scope scope) {
  if (state_->shims.keeps(tree.leader)) return state_->shims.signal(tree, signo, scope);
  return state_->trees.signal(tree, signo, scope);
}

bool NativeProcesses::tree_alive(const TreeId& tree) {
  return state_->shims.keeps(tree.leader) ? state_->shims.alive(tree) : state_->trees.alive(tree);
}

void NativeProcesses::watch_tree(const TreeId& tree, TreeWatcher& watcher) {
  if (state_->shims.keeps(tree.leader))
    state_->shims.watch(tree, watcher);
  else
    state_->trees.watch(tree, watcher);
}

void NativeProcesses::unwatch_tree(TreeWatcher& watcher) {
  state_->shims.unwatch(watcher);
  state_->trees.unwatch(watcher);
}

std::vector<Survivor> NativeProcesses::survivors(const TreeId& tree) {
  return state_->shims.keeps(tree.leader) ? state_->shims.survivors(tree) : state_->trees.survivors(tree);
}

std::vector<Survivor> NativeProcesses::strays() { return state_->trees.strays(); }

}  // namespace belfry::system
