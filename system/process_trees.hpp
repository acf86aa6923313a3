// The proof that a service has stopped: nothing that can be attributed to it is left.
//
// Every surviving process of a tree hangs below a child of ours: below the leader while that lives,
// below an adopted orphan afterwards (orphans.hpp). So a tree can only become empty when a child of ours
// is reaped, and only then is it looked at: no polling. All trees that wait share one look per turn.
#pragma once

#include <sys/types.h>

#include <vector>

#include "channels/detail/waiter.hpp"
#include "system/orphans.hpp"
#include "system/pid_map.hpp"
#include "system/processes.hpp"
#include "system/reaper.hpp"
#include "system/syscalls.hpp"

namespace belfry::system {

// Owner: NativeProcesses.
// Lifecycle: a watch ends with its one call of on_tree_empty, or by unwatch.
// Cancellation: unwatch.
class ProcessTrees {
 public:
  ProcessTrees(Loop& loop, Syscalls& syscalls) : loop_(loop), syscalls_(syscalls) {}
  ProcessTrees(const ProcessTrees&) = delete;
  ProcessTrees& operator=(const ProcessTrees&) = delete;

  // The reaper needs us and we need it: set once, before anything else is called.
  void set_reaper(Reaper& reaper) { reaper_ = &reaper; }

  bool signal(const TreeId& tree, int signo, Scope scope);
  bool alive(const TreeId& tree);
  void watch(const TreeId& tree, TreeWatcher& watcher);
  void unwatch(TreeWatcher& watcher);
  std::vector<Survivor> survivors(const TreeId& tree);

  // Called for every reaped process.
  void reaped(pid_t pid, bool known);

 private:
  struct Watch {
    TreeId tree;
    TreeWatcher* watcher = nullptr;
    bool condemned = false;  // SIGKILL was sent: whatever appears later gets it, too
  };
  struct Settle final : detail::Callback {
    explicit Settle(ProcessTrees& t) : trees(t) {}
    void run() noexcept override { trees.settle(); }
    ProcessTrees& trees;
  };

  void settle();
  void request_settle();
  void look();
  [[nodiscard]] std::vector<pid_t> orphans_of(const TreeId& tree);
  [[nodiscard]] bool is_empty(const TreeId& tree);  // as of the last look
  std::vector<pid_t> everybody_of(const TreeId& tree);
  bool send(pid_t pid, int signo);
  bool signal_group(const TreeId& tree, int signo);
  bool signal_everybody(const TreeId& tree, int signo);

  Loop& loop_;
  Syscalls& syscalls_;
  Reaper* reaper_ = nullptr;
  Orphans orphans_;
  PidMap<Watch> watches_;
  std::vector<pid_t> ended_;  // leaders of watched trees that were reaped: to be looked at
  Settle settle_{*this};
};

}  // namespace belfry::system
