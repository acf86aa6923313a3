// The seam between the daemon and real processes: NativeProcesses makes them, a simulation fakes them.
//
// Everything is called on the loop's thread, and every callback comes from the loop's turn, never from
// inside a call of this interface: a watcher may call back into it freely.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <vector>

#include "system/launch.hpp"
#include "system/process.hpp"

namespace belfry::system {

// Told once that a process has ended and was reaped. From then on its pid means nothing.
class ExitWatcher {
 public:
  virtual void on_exit(pid_t pid, ExitStatus status) = 0;

 protected:
  ~ExitWatcher() = default;
};

// Told once that no process attributable to a tree is left.
class TreeWatcher {
 public:
  virtual void on_tree_empty(pid_t leader) = 0;

 protected:
  ~TreeWatcher() = default;
};

enum class Scope : std::uint8_t {
  leader,  // the spawned process only
  group,   // its process group
  tree,    // its group and every orphan that can be attributed to it
};

// Owner: the Daemon (native) or the simulation (fake).
// Lifecycle: outlives every service; watchers must outlive their registration or be taken out by
//   `disown` / `unwatch_tree`.
class Processes {
 public:
  virtual ~Processes() = default;

  // Starts the prepared launch at once. `watcher` hears of the exit exactly once, in a later turn.
  // Does not allocate on the successful path; the launch may be spawned again.
  virtual std::expected<pid_t, SpawnError> spawn(Launch& launch, ExitWatcher& watcher) = 0;

  // A process that was not spawned here but may become our child, as orphans do: `watcher` hears how it ended
  // if it is we who reap it. `unfollow` ends that.
  virtual void follow(pid_t pid, ExitWatcher& watcher) = 0;

  virtual void unfollow(pid_t pid) = 0;

  // The watcher will not be told; the process itself goes on and is reaped when it ends.
  virtual void disown(pid_t pid) = 0;

  // Whether a process has ended though its watcher may not have been told yet: signals coalesce, and messages
  // of a process that is dead by now are still read. The watcher of one that was spawned here then hears in
  // the coming turn. One or two questions to the kernel: for whoever is about to build on its being alive.
  virtual bool has_ended(pid_t pid) = 0;

  // Sends a signal. A leader that was reaped is never signalled (its pid may be somebody else's);
  // its group and orphans still are. SIGTERM, SIGINT, SIGHUP and SIGQUIT are followed by SIGCONT: a stopped
  // process would not act on them. SIGKILL with Scope::tree condemns a watched tree: whatever is
  // attributed to it later is killed as well. To a tree of hundreds the signal goes on in the coming turns.
  // Returns whether anybody was signalled.
  virtual bool signal(const TreeId& tree, int signo, Scope scope) = 0;

  // Whether a process of the tree is left, zombies of the leader not counted. Costs a look into /proc
  // when the leader is gone: for decisions, not for loops.
  virtual bool tree_alive(const TreeId& tree) = 0;

  // `watcher` hears once, in a later turn, that nothing attributable to the tree is left; at the earliest
  // in the next one. Driven by exits, never by polling. Register after or before the leader's exit.
  virtual void watch_tree(const TreeId& tree, TreeWatcher& watcher) = 0;
  virtual void unwatch_tree(TreeWatcher& watcher) = 0;

  // Who is left of a tree, for messages ("2 processes did not end: 4711 postgres (D)"); of a crowd some, and
  // nobody only when there is nobody.
  virtual std::vector<Survivor> survivors(const TreeId& tree) = 0;

  // Orphans that came to belfry, and what is below them, of which no watched tree is known to be theirs: they
  // left their session, erased their environment and closed their pipe. Meaningful when nothing else runs.
  virtual std::vector<Survivor> strays() { return {}; }
};

}  // namespace belfry::system
