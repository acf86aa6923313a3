// Signals as events of the loop.
//
// signalfd(2), not a handler: all signals stay blocked for belfry's whole life, so a child made by
// clone(CLONE_VM) never runs a handler on memory it shares, and nothing is lost between main() and the
// first turn of the loop. Two objects, because blocking must come before anything else in main and the
// loop comes later.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <memory>

namespace belfry {
class Loop;
}

namespace belfry::system {

// What SignalBlock found at entry, and what a child must therefore put back.
struct EntryDispositions {
  sigset_t ignored;  // ignored by whoever started belfry, SIGPIPE (ignored by us) included
};

// Owner: main(), as its very first object, before any thread exists.
// Lifecycle: blocks every signal but the synchronous and job-control ones, ignores SIGPIPE; the
//   destructor restores the mask (tests need that; the daemon ends with it).
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  // Only the blocking, for good: for a time at which nothing else can be done yet.
  static void block();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

  // Dispositions as they were found; valid for the whole program, also without a SignalBlock.
  static const EntryDispositions& entry();
  // What is blocked, and therefore what Signals hears.
  static const sigset_t& signals();

 private:
  sigset_t old_mask_;
};

struct SignalEvent {
  int number = 0;
  pid_t sender = 0;  // 0: the kernel, or a process that has no number here
  uid_t user = 0;
  // A terminal's Ctrl-C. Its sender is 0, but so is that of a process outside of this PID namespace.
  bool from_kernel = false;
};

class SignalListener {
 public:
  virtual void on_signal(const SignalEvent& event) = 0;

 protected:
  ~SignalListener() = default;
};

// Owner: the Daemon, after the Loop.
// Lifecycle: reads from construction on; destroy it before the Loop. Needs a living SignalBlock.
// Cancellation: the destructor stops listening; no listener is called afterwards.
class Signals {
 public:
  explicit Signals(Loop& loop);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Everything that is blocked, but SIGCHLD: TERM INT HUP QUIT USR1 USR2 WINCH, real-time ones and so on,
  // as the kernel hands them out, from the loop's turn. What came before a listener was set is kept and
  // delivered in the next turn. Null: keep again.
  void set_listener(SignalListener* listener);

  // SIGCHLD, which several exits may share. One listener: the reaper.
  void set_child_listener(SignalListener* listener);

  // From here on the wait for signals does not keep Loop::run from returning asleep. Signals are heard as
  // before.
  void wait_in_background();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace belfry::system
