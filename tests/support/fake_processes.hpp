// Processes without a kernel: they exit, ignore signals, leave children behind or refuse to start as a
// script says, in the time of the loop's manual clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"
#include "system/processes.hpp"

namespace belfry::testing {

// What one run of a service is going to do. Times count from the event that they follow.
struct ProcessScript {
  std::optional<system::SpawnError> refuse{};              // it never comes to be
  std::optional<Duration> exits_after{};                   // by itself; unset: runs until it is asked to stop
  system::ExitStatus exits_with{};                         // how it ends by itself
  std::optional<Duration> stops_after = Duration::zero();  // after its stop signal; unset: ignores it
  bool stops_cleanly = true;                               // exits with 0, and not by the signal
  std::optional<Duration> unkillable_for{};  // in uninterruptible sleep: when SIGKILL works at last
  bool may_not_be_signalled = false;         // another user's, and belfry lacks CAP_KILL
  std::uint32_t leaves_behind = 0;           // children that outlive it
  bool children_are_unknown = false;         // whose they are shows only when they have ended
  std::optional<Duration>
      children_exit_after{};  // by themselves, after it; unset: they run until they are asked
  std::optional<Duration> children_stop_after = Duration::zero();  // after SIGTERM to the tree; unset: never
};

// Which run of which service, read from the launch's marker ("stack/db#3").
struct RunId {
  std::string service;
  std::uint64_t run = 0;
  std::string command{};  // its first word: a hook runs under the marker of its run
};

// Owner: the test. Lifecycle: outlives the services; its loop outlives it. Cancellation: none.
class FakeProcesses final : public system::Processes {
 public:
  explicit FakeProcesses(Loop& loop) : loop_(loop) {}

  // What a start does; unset: it runs until it is asked to stop, and stops at once.
  std::function<ProcessScript(const RunId&)> script;
  // Called before a process comes to be, and with every signal that reaches somebody.
  std::function<void(const RunId&)> on_spawn;
  std::function<void(const RunId&, int signo, system::Scope)> on_signal;

  // How long after the death the reaper learns of it, as signals coalesce; unset: at once.
  std::function<Duration(const RunId&)> notices_late;
  bool tells_when_asked = true;  // has_ended() makes the reaper tell; false: as below a shim that is stopped

  // Ends the main process of the service's newest run, as if by itself.
  void end(std::string_view service, system::ExitStatus how = {});
  // One of those that the service's newest run has left behind ends.
  void lose_child(std::string_view service);
  // Everything that happened: "spawn db#1", "SIGTERM db#1", "exit db#1", "gone db#1"; of a hook: "spawn db#1
  // ./prepare".
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }
  [[nodiscard]] std::size_t alive() const;
  [[nodiscard]] bool alive(std::string_view service) const;
  // Whether a main process of the service has not ended, told or untold.
  [[nodiscard]] bool runs(std::string_view service) const;
  [[nodiscard]] std::uint64_t spawned() const { return spawned_; }

  std::expected<pid_t, system::SpawnError> spawn(system::Launch& launch,
                                                 system::ExitWatcher& watcher) override;
  void follow(pid_t, system::ExitWatcher&) override {}
  void unfollow(pid_t) override {}
  void disown(pid_t pid) override;
  bool has_ended(pid_t pid) override;
  bool signal(const system::TreeId& tree, int signo, system::Scope scope) override;
  bool tree_alive(const system::TreeId& tree) override;
  void watch_tree(const system::TreeId& tree, system::TreeWatcher& watcher) override;
  void unwatch_tree(system::TreeWatcher& watcher) override;
  std::vector<system::Survivor> survivors(const system::TreeId& tree) override;

 private:
  struct Process {
    explicit Process(Loop& loop) : exit_timer(loop), children_timer(loop) {}
    RunId id;
    pid_t pid = 0;
    ProcessScript script;
    bool running = true;
    bool doomed = false;                         // SIGKILL was sent
    std::optional<system::ExitStatus> untold{};  // it has ended, and its watcher has not been told
    std::uint32_t children = 0;
    system::ExitWatcher* exit_watcher = nullptr;
    Timer exit_timer;
    Timer children_timer;
    [[nodiscard]] bool gone() const { return !running && !untold && children == 0; }
  };

  using RunKey = std::pair<std::string, std::uint64_t>;
  struct Watch {
    pid_t leader = 0;
    system::TreeWatcher* watcher = nullptr;
  };

  Process* find(pid_t pid);
  void exit_at(Process& process, TimePoint when, system::ExitStatus how);
  void exited(pid_t pid, system::ExitStatus how);
  void tell_exit(pid_t pid);
  void children_leave_at(Process& process, TimePoint when);
  bool signal_one(Process& process, int signo, system::Scope scope);
  [[nodiscard]] bool anybody_left(const RunKey& run);
  void look_whether_gone(const RunKey& run);
  void tell_gone(const RunKey& run);
  void note(const char* what, const RunId& id);

  Loop& loop_;
  std::map<pid_t, std::unique_ptr<Process>> processes_;
  std::map<RunKey, Watch> watches_;
  std::map<RunKey, std::vector<pid_t>> runs_;
  std::vector<std::string> log_;
  pid_t last_pid_ = 1000;
  std::uint64_t spawned_ = 0;
};

}  // namespace belfry::testing
