// The proof that a service has stopped: nothing that can be attributed to it is left.
//
// The problem: a process can leave the session, the group and the descent of its service, and nobody is told
// when it ends. The contract: on_tree_empty() is called once, in a turn in which no attributable process was
// there, and a process that was attributed once stays attributed until it is reaped.
//
// Every surviving process of a tree hangs below a child of ours: below the leader while that lives,
// below an adopted orphan afterwards (orphans.hpp). So a tree can only become empty when a child of ours
// is reaped, and only then is it looked at: no polling. All trees that wait share one look per turn.
// A tree with a cgroup of its own (cgroup.hpp) is empty when nobody is in that either, and is killed by one
// call.
//
// An orphan of whom it is not known yet whose it is (orphans.hpp) may be anybody's: no tree is empty beside
// it. But nobody can hold up the end of somebody else's service for longer than a moment by staying
// undecided.
//
// A signal to a tree of more than a few hundred processes goes on in the turns that follow (tree_signal.hpp).
//
// Without /proc nothing is known of orphans, and the process group is all that can be asked and killed.
#pragma once

#include <sys/types.h>

#include <deque>
#include <memory>
#include <vector>

#include "channels/callback.hpp"
#include "channels/timer_queue.hpp"
#include "system/cgroup_watch.hpp"
#include "system/guard_ledger.hpp"
#include "system/orphans.hpp"
#include "system/pid_map.hpp"
#include "system/processes.hpp"
#include "system/reaper.hpp"
#include "system/syscalls.hpp"
#include "system/tree_signal.hpp"

namespace belfry::system {

// Owner: NativeProcesses.
// Lifecycle: a watch ends with its one call of on_tree_empty, or by unwatch.
// Cancellation: unwatch.
class ProcessTrees final : CgroupListener, TreeKnowledge {
 public:
  ProcessTrees(Loop& loop, Syscalls& syscalls)
      : loop_(loop),
        syscalls_(syscalls),
        cgroups_(loop, static_cast<CgroupListener&>(*this)),
        going_on_(loop),
        doubt_(loop) {}
  ProcessTrees(const ProcessTrees&) = delete;
  ProcessTrees& operator=(const ProcessTrees&) = delete;

  // The reaper needs us and we need it: set once, before anything else is called.
  void set_reaper(Reaper& reaper) { reaper_ = &reaper; }
  // Where the end of a tree is struck out.
  void set_ledger(GuardLedger& ledger) { ledger_ = &ledger; }

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
    bool inhabited = false;  // as of the last look: an orphan is its own
    TimePoint doubted_since = TimePoint::max();
  };
  // As of the last look: of how many orphans it is not known whose they are.
  struct Doubts {
    std::size_t undecided = 0;
    std::size_t unread = 0;  // those that there was no time to look at
    TimePoint look_again = TimePoint::max();
  };
  struct Settle final : Callback {
    explicit Settle(ProcessTrees& t) : trees(t) {}
    void run() noexcept override { trees.settle(); }
    ProcessTrees& trees;
  };

  struct GoOn final : Callback {
    explicit GoOn(ProcessTrees& t) : trees(t) {}
    void run() noexcept override { trees.go_on_with_signals(); }
    ProcessTrees& trees;
  };

  void on_cgroup_changed() override;
  std::vector<pid_t> roots_of(const TreeId& tree) override;
  bool signal_group(const TreeId& tree, int signo) override;
  bool send(pid_t pid, int signo) override;
  bool leads_another(pid_t pid, const TreeId& tree) override;
  void go_on_with_signals();
  void tell_signals_that_it_is_gone(pid_t leader);
  [[nodiscard]] bool is_zombie_of_ours(pid_t pid);
  void forget(pid_t leader);
  void settle();
  void request_settle();
  void look();
  [[nodiscard]] std::vector<pid_t> orphans_of(const TreeId& tree);
  [[nodiscard]] bool has_undecided(const TreeId& tree);
  [[nodiscard]] bool group_is_there(const TreeId& tree);
  [[nodiscard]] Doubts attribute(const std::vector<pid_t>& candidates);
  [[nodiscard]] bool is_empty(Watch& watch, const Doubts& doubts);  // as of the last look
  void mark_refused(std::vector<Survivor>& survivors);
  void let_go_on(pid_t pid);
  void let_all_go_on();
  bool signal_everybody(const TreeId& tree, int signo);

  Loop& loop_;
  Syscalls& syscalls_;
  Reaper* reaper_ = nullptr;
  GuardLedger* ledger_ = nullptr;  // null: nobody guards
  Orphans orphans_;
  CgroupWatch cgroups_;
  PidMap<Watch> watches_;
  std::vector<pid_t> ended_;  // leaders of watched trees that were reaped: to be looked at
  Settle settle_{*this};
  std::deque<std::unique_ptr<TreeSignal>> under_way_;  // those that did not fit into one piece
  GoOn go_on_{*this};
  std::vector<pid_t> to_go_on_;  // were asked to end; SIGCONT follows
  Timer going_on_;
  Timer doubt_;  // when to look at the undecided again
};

}  // namespace belfry::system
