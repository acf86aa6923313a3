// Real processes behind the seam: spawner, reaper and process trees put together.
#pragma once

#include <memory>

#include "system/processes.hpp"

namespace belfry {
class Loop;
}

namespace belfry::system {

class GuardLedger;
class Signals;
class Syscalls;
class UsageListener;

// Owner: the Daemon.
// Lifecycle: made after Signals, before the first service; makes belfry a subreaper unless it is pid 1.
//   At destruction processes go on living; nobody is told any more.
class NativeProcesses final : public Processes {
 public:
  NativeProcesses(Loop& loop, Signals& signals);
  NativeProcesses(Loop& loop, Signals& signals, Syscalls& syscalls);
  ~NativeProcesses() override;

  // What is started is written down there from now on; the ledger outlives this object.
  void write_down_in(GuardLedger& ledger);

  // Told what each process took, as long as the loop turns.
  void tell_usage_to(UsageListener& listener);

  std::expected<pid_t, SpawnError> spawn(Launch& launch, ExitWatcher& watcher) override;
  void follow(pid_t pid, ExitWatcher& watcher) override;
  void unfollow(pid_t pid) override;
  void disown(pid_t pid) override;
  bool has_ended(pid_t pid) override;
  bool signal(const TreeId& tree, int signo, Scope scope) override;
  bool tree_alive(const TreeId& tree) override;
  void watch_tree(const TreeId& tree, TreeWatcher& watcher) override;
  void unwatch_tree(TreeWatcher& watcher) override;
  std::vector<Survivor> survivors(const TreeId& tree) override;
  std::vector<Survivor> strays() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace belfry::system
