// The children that nobody here spawned: processes whose parents died and that the kernel gave to us.
//
// As a subreaper (or pid 1) belfry adopts every orphan of its services. So whatever is left of a tree
// hangs below an adopted child of ours, and "no adopted child is attributable to the tree" proves that
// the tree is gone, whatever sessions and groups its processes fled to.
//
// The kernel keeps children per thread and hands orphans to the first thread of the process. When the
// loop runs on another thread (adopter.hpp), the first thread's list holds orphans and nothing else, and
// reading it costs half a microsecond however many services run; otherwise it also holds what was
// spawned, 0.2 µs each, and those are passed over.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "system/pid_map.hpp"
#include "system/process.hpp"

namespace belfry::system {

// Owner: ProcessTrees.
// Lifecycle: remembers what it learned of an orphan until that is reaped: an attribution never ends,
//   even if the process leaves its session or erases its environment afterwards.
// Cancellation: none.
class Orphans {
 public:
  Orphans();
  ~Orphans();
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

  // Looks at the kernel's list. `spawned(pid)` tells which children are no orphans.
  void look(const std::function<bool(pid_t)>& spawned);
  void forget(pid_t pid) { known_.erase(pid); }
  // False where /proc is not mounted or does not list children: nothing can be said of orphans then.
  [[nodiscard]] bool visible() const { return file_ >= 0; }

  // As of the last look.
  [[nodiscard]] const std::vector<pid_t>& all() const { return list_; }
  // Whether the orphan belongs to the tree: by its session or group, by the marker in its environment,
  // by the log pipe among its descriptors; cheapest first, and looked up once.
  bool belongs(pid_t orphan, const TreeId& tree);
  // The orphan's process group is the tree's own, so the group's number cannot have been reused.
  bool in_group(pid_t orphan, const TreeId& tree);

 private:
  struct Facts {
    pid_t group = 0, session = 0;
    bool environment_read = false, pipes_read = false;
    std::optional<std::string> marker;
    std::vector<ino_t> pipes;
  };

  int file_ = -1;  // the first thread's children
  std::string text_;
  std::vector<pid_t> list_;
  PidMap<Facts> known_;
};

}  // namespace belfry::system
