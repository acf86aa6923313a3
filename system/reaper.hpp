// One reaper for all children: services, probes, hooks, and orphans that came to us.
//
// The problem: SIGCHLD coalesces, so every one of them means "look until there is nothing", and a look at all
// children costs the more the more children there are. The contract: the child that the signal names is
// reaped first and in constant time, because a bell waits for it. Everything else comes after the tasks that
// this woke have gone on: the children whose end is expected are asked one by one, since it is they that end
// in crowds; then comes the look at all children, which is bounded in the share of time that it takes.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "channels/callback.hpp"
#include "channels/timer_queue.hpp"
#include "system/pid_map.hpp"
#include "system/processes.hpp"
#include "system/signals.hpp"
#include "system/syscalls.hpp"
#include "system/usage.hpp"

namespace belfry {
class Loop;
}

namespace belfry::system {

// Told of every reaped process, after its ExitWatcher. Its pid may be reused from now on.
class ReapListener {
 public:
  virtual void on_reaped(pid_t pid, bool known) = 0;

 protected:
  ~ReapListener() = default;
};

// Owner: NativeProcesses.
// Lifecycle: listens to SIGCHLD from construction on; what ended before is found by the first sweep.
// Cancellation: the destructor stops listening.
class Reaper final : SignalListener {
 public:
  Reaper(Loop& loop, Signals& signals, Syscalls& syscalls, ReapListener& listener);
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  void add(pid_t pid, ExitWatcher& watcher) { children_[pid] = {.watcher = &watcher}; }
  // Somebody waits for the end of this child of ours.
  void expect(pid_t pid);
  // A process that was not spawned here and may become our child as an orphan: the watcher is told of its
  // end, and nothing else is known of it.
  void follow(pid_t pid, ExitWatcher& watcher) { followed_[pid] = &watcher; }
  void unfollow(pid_t pid) { followed_.erase(pid); }
  void disown(pid_t pid);
  // A child that was spawned here and not reaped yet: its pid is certainly its own.
  [[nodiscard]] bool owns(pid_t pid) { return children_.find(pid) != nullptr; }
  // Whether this child of ours has ended; if so its watcher is told in the coming turn, also while looks at
  // all children rest.
  [[nodiscard]] bool has_ended(pid_t pid);
  [[nodiscard]] std::size_t size() const { return children_.size(); }

  UsageListener* usage_listener = nullptr;  // null: nobody wants to know

  // Reaps whatever has ended, telling everybody. Returns how many.
  std::size_t sweep();

 private:
  // A crash of thousands at once must not keep the loop from its other work.
  static constexpr std::size_t batch = 256;

  struct Sweep final : Callback {
    explicit Sweep(Reaper& r) : reaper(r) {}
    void run() noexcept override;
    Reaper& reaper;
  };

  struct Child {
    ExitWatcher* watcher = nullptr;  // null: disowned
    bool expected = false;
  };

  void on_signal(const SignalEvent& event) override;
  // Takes one that has ended, and tells who waits for it.
  enum class Reaped : std::uint8_t { nobody, expected, unexpected };
  Reaped reap(idtype_t type, pid_t pid);
  std::size_t ask_expected();
  void look_at_all();
  void take_found();
  void again();

  Loop& loop_;
  Signals& signals_;
  Syscalls& syscalls_;
  ReapListener& listener_;
  PidMap<Child> children_;
  std::vector<pid_t> found_ended_;  // by has_ended(), and not taken yet
  std::deque<pid_t> expected_;      // in the order in which they are asked; also some that have ended
  PidMap<ExitWatcher*> followed_;
  Sweep sweep_{*this};
  Timer later_;  // a sweep that rests first
  TimePoint rests_until_ = TimePoint::min();
};

}  // namespace belfry::system
