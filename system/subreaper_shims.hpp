// belfry's side of its shims (subreaper_shim.hpp): the services that run isolated, by the pid of their
// process.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "system/pid_map.hpp"
#include "system/processes.hpp"
#include "system/reaper.hpp"
#include "system/syscalls.hpp"

namespace belfry::system {

// What a spawn below a shim hands over: the shim, and belfry's end of the socket to it.
struct Kept {
  pid_t shim = 0;
  int socket = -1;
};

// Owner: NativeProcesses.
// Lifecycle: an entry lives from the spawn until its end was told to whoever watched the tree, or the process
// was
//   disowned. A shim that was killed leaves its tree to ProcessTrees.
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

  void add(pid_t program, Kept kept, ExitWatcher& watcher);
  [[nodiscard]] bool keeps(pid_t program) { return entries_.find(program) != nullptr; }

  // As in Processes, for a tree that keeps() says is kept.
  void disown(pid_t program);
  bool signal(const TreeId& tree, int signo, Scope scope);
  bool alive(const TreeId& tree);
  void watch(const TreeId& tree, TreeWatcher& watcher);
  std::vector<Survivor> survivors(const TreeId& tree);
  // Of whatever it watches.
  void unwatch(TreeWatcher& watcher);

 private:
  struct Entry;

  void on_exit(pid_t shim, ExitStatus status) override;
  void tell_exit(Entry& entry, ExitStatus status);
  void tell_gone(Entry& entry);
  [[nodiscard]] std::vector<pid_t> everybody(pid_t program);

  Loop& loop_;
  Syscalls& syscalls_;
  Reaper& reaper_;
  Heir& heir_;
  PidMap<std::shared_ptr<Entry>> entries_;  // by the service's process
  PidMap<pid_t> programs_;                  // by the shim
};

}  // namespace belfry::system
