// The proof that a service has stopped: nothing that can be attributed to it is left.
//
// Every surviving process of a tree hangs below a child of ours: below the leader while that lives,
// below an adopted orphan afterwards (orphans.hpp). So a tree can only become empty when a child of ours
// is reaped, and only then is it looked at: no polling. All trees that wait share one look per turn.
// A tree with a cgroup of its own (cgroup.hpp) is empty when nobody is in that either, and is killed by one
// call.
#pragma once

#include <sys/types.h>

#include <vector>

#include "channels/detail/waiter.hpp"
#include "channels/timer_queue.hpp"
#include "system/cgroup_watch.hpp"
#include "system/orphans.hpp"
#include "system/pid_map.hpp"
#include "system/processes.hpp"
#include "system/reaper.hpp"
#include "system/syscalls.hpp"

namespace belfry::system {

// Owner: NativeProcesses.
// Lifecycle: a watch ends with its one call of on_tree_empty, or by unwatch.
// Cancellation: unwatch.
class ProcessTrees final : CgroupListener {
 public:
  ProcessTrees(Loop& loop, Syscalls& syscalls)
      : loop_(loop),
        syscalls_(syscalls),
        cgroups_(loop, static_cast<CgroupListener&>(*this)),
        going_on_(loop) {}
  ProcessTrees(const ProcessTrees&) = delete;
  ProcessTrees& operator=(const ProcessTrees&) = delete;

  // The reaper needs us and we need it: set once, before anything else is called.
  void set_reaper(Reaper& reaper) { reaper_ = &reaper; }

  bool signal(const TreeId& tree, int signo, Scope scope);
  bool alive(const TreeId& tree);
  void watch(const TreeId& tree, TreeWatcher& watcher);
  void unwatch(TreeWatcher& watcher);
  std::vector<Survivor> survivors(const TreeId& tree);
  std::vector<Survivor> strays();

  // Called for every reaped process.
  void reaped(pid_t pid, bool known);

 private:
  struct Watch {
    TreeId tree;
    TreeWatcher* watcher = nullptr;
    int cgroup_watch = -1;
    bool condemned = false;  // SIGKILL was sent: whatever appears later gets it, too
  };
  struct Settle final : detail::Callback {
    explicit Settle(ProcessTrees& t) : trees(t) {}
    void run() noexcept override { trees.settle(); }
    ProcessTrees& trees;
  };

  void on_cgroup_changed() override;
  void forget(pid_t leader);
  void settle();
  void request_settle();
  void look();
  [[nodiscard]] std::vector<pid_t> orphans_of(const TreeId& tree);
  [[nodiscard]] bool is_empty(const TreeId& tree);  // as of the last look
  std::vector<pid_t> everybody_of(const TreeId& tree);
  bool send(pid_t pid, int signo);
  void let_go_on(pid_t pid);
  void let_all_go_on();
  bool signal_group(const TreeId& tree, int signo);
  bool signal_everybody(const TreeId& tree, int signo);

  Loop& loop_;
  Syscalls& syscalls_;
  Reaper* reaper_ = nullptr;
  Orphans orphans_;
  CgroupWatch cgroups_;
  PidMap<Watch> watches_;
  std::vector<pid_t> ended_;  // leaders of watched trees that were reaped: to be looked at
  Settle settle_{*this};
  std::vector<pid_t> to_go_on_;  // were asked to end; SIGCONT follows
  Timer going_on_;
};

}  // namespace belfry::system
