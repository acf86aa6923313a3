// The children that nobody here spawned: processes whose parents died and that the kernel gave to us.
//
// As a subreaper (or pid 1) belfry adopts every orphan of its services. So whatever is left of a tree
// hangs below an adopted child of ours, and "no adopted child is attributable to the tree" proves that
// the tree is gone, whatever sessions and groups its processes fled to.
//
// The kernel keeps children per thread and hands orphans to the first thread of the process. When the
// loop runs on another thread (orphan_thread.hpp), the first thread's list holds orphans and nothing else,
// and reading it costs half a microsecond however many services run; otherwise it also holds what was
// spawned, 0.2 µs each, and those are passed over.
//
// An orphan that calls execve just now, or dies just now, has no environment to read. It is *undecided*:
// looked at again after a millisecond, then two, four, …, and never taken for nobody's in between. A service
// that leaves a thousand orphans decides how many there are to look at, so no turn looks at more than a few.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "system/pid_map.hpp"
#include "system/process.hpp"

namespace belfry::system {

enum class Kinship : std::uint8_t { yes, no, undecided };

// Owner: ProcessTrees.
// Lifecycle: remembers what it learned of an orphan until that is reaped: an attribution never ends,
//   even if the process leaves its session or erases its environment afterwards.
class Orphans {
 public:
  // What is known of one.
  struct Facts {
    enum class Environment : std::uint8_t {
      unread,
      undecided,
      silent,  // belfry may not read it, or there was none for so long that nobody waits for it any more
      read,
    };
    pid_t group = 0, session = 0;
    Environment environment = Environment::unread;
    bool pipes_read = false;
    std::uint8_t looks = 0;  // at its environment, in vain
    TimePoint look_again{};
    std::string marker;  // empty: it has none
    std::vector<ino_t> pipes;
  };

  Orphans();
  ~Orphans();
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

  // Looks at the kernel's list. `spawned(pid)` tells which children are no orphans.
  void look(TimePoint now, const std::function<bool(pid_t)>& spawned);
  void forget(pid_t pid) { known_.erase(pid); }
  // False where /proc is not mounted, is another namespace's or does not list children: nothing can be said
  // of orphans then.
  [[nodiscard]] bool visible() const { return file_ >= 0; }

  // As of the last look.
  [[nodiscard]] const std::vector<pid_t>& all() const { return list_; }
  // Whether the orphan belongs to the tree: by its session or group, by the marker in its environment,
  // by the log pipe among its descriptors; cheapest first, and looked up once.
  Kinship kinship(pid_t orphan, const TreeId& tree);
  // The orphan's process group is the tree's own, so the group's number cannot have been reused.
  bool in_group(pid_t orphan, const TreeId& tree);

  // The same for whoever asks about many trees at once. Null: it is no orphan of the last look.
  [[nodiscard]] const Facts* facts(pid_t orphan) { return known_.find(orphan); }
  const Facts* learn_environment(pid_t orphan);
  const Facts* learn_pipes(pid_t orphan);
  // When to look again at this undecided one: at the end of its wait, or when this turn's looks are used up.
  [[nodiscard]] TimePoint look_again_at(const Facts& facts) const;

 private:
  void read_environment(pid_t orphan, Facts& facts, bool at_once);
  [[nodiscard]] bool may_look();

  int file_ = -1;  // the first thread's children
  TimePoint now_{};
  TimePoint counted_since_ = TimePoint::min();
  int looks_ = 0;  // since then
  std::string text_;
  std::vector<pid_t> list_;
  PidMap<Facts> known_;
};

}  // namespace belfry::system
