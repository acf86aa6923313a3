// belfry's side of its shims (system/subreaper_shim.hpp): the services that run isolated, by the pid of their
// process.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "system/guard_ledger.hpp"
#include "system/pid_map.hpp"
#include "system/processes.hpp"
#include "system/reaper.hpp"
#include "system/syscalls.hpp"
#include "system/usage.hpp"

namespace belfry::system {

// What a spawn below a shim hands over: the shim, and belfry's end of the socket to it.
struct SpawnedShim {
  pid_t pid = 0;
  int socket = -1;
};

// The problem: without a cgroup a process that leaves its session and erases its environment can be
// attributed to nobody. The contract: a service below a shim has ended when its shim has exited, which the
// shim does only when no process is left below it. A shim that somebody kills takes this proof with it; its
// tree is then handed to the heir, which finds what can be found. Owner: NativeProcesses. Lifecycle: a
// service is known here from its spawn until the end of its tree was told to whoever watches it.
// Cancellation: unwatch, disown.
class SubreaperShims final : ExitWatcher {
 public:
  // Called for trees whose shim died before them.
  class Heir {
   public:
    virtual void inherit(const TreeId& tree, TreeWatcher& watcher) = 0;

   protected:
    ~Heir() = default;
  };

  SubreaperShims(Loop& loop, Syscalls& syscalls, Reaper& reaper, Heir& heir);
  ~SubreaperShims();
  SubreaperShims(const SubreaperShims&) = delete;
  SubreaperShims& operator=(const SubreaperShims&) = delete;

  // Where the end of a tree is struck out.
  void set_ledger(GuardLedger& ledger) { ledger_ = &ledger; }

  UsageListener* usage_listener = nullptr;  // null: nobody wants to know

  void add(pid_t program, SpawnedShim made, ExitWatcher& watcher);
  [[nodiscard]] bool keeps(pid_t program) { return services_.find(program) != nullptr; }

  // As in Processes, for a tree of which keeps() says that it is below a shim.
  void disown(pid_t program);
  bool signal(const TreeId& tree, int signo, Scope scope);
  bool alive(const TreeId& tree);
  void watch(const TreeId& tree, TreeWatcher& watcher);
  std::vector<Survivor> survivors(const TreeId& tree);
  // Of whatever it watches.
  void unwatch(TreeWatcher& watcher);

 private:
  struct IsolatedService;

  void on_exit(pid_t shim, ExitStatus status) override;
  void tell_exit(IsolatedService& entry, ExitStatus status);
  void tell_gone(IsolatedService& entry);
  [[nodiscard]] std::vector<pid_t> everybody(pid_t program);

  Loop& loop_;
  Syscalls& syscalls_;
  Reaper& reaper_;
  Heir& heir_;
  GuardLedger* ledger_ = nullptr;                      // null: nobody guards
  PidMap<std::shared_ptr<IsolatedService>> services_;  // by the service's process
  PidMap<pid_t> programs_;                             // by the shim
};

}  // namespace belfry::system
