// A cgroup v2 leaf for a service: exact knowledge of who belongs to it, one call that kills all of them,
// and limits.
//
//     OWN                        where belfry was started
//     ├── belfry-NAME-PID        everything that belfry makes is below it
//     │   └── service-db         a leaf, for as long as the service has something to do with processes
//     └── belfry-NAME-PID.daemon belfry itself, only where limits demand it (see enable)
//
// Only below belfry's own cgroup, never beside it or above, and never in a unit that systemd has not
// delegated. docs/adr/0010-a-leaf-where-asked.md says who gets a leaf and what it costs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "channels/error.hpp"
#include "system/usage.hpp"

namespace belfry::system {

struct CgroupLimits {
  std::optional<std::uint64_t> memory_max;  // bytes
  std::optional<double> cpu_max;            // processors
  std::optional<std::uint64_t> pids_max;    // processes and threads
  [[nodiscard]] bool empty() const { return !memory_max && !cpu_max && !pids_max; }
};

namespace cgroup {
// Why belfry could have no such limits in the cgroup `own`, as far as can be seen without making anything;
// empty: nothing is in the way. Without `own`: in the cgroup of this process.
[[nodiscard]] std::string why_no_limits(const std::string& own, const CgroupLimits& needed);
[[nodiscard]] std::string why_no_limits(const CgroupLimits& needed);
}  // namespace cgroup

// Owner: whoever provides for the service; the CgroupTree outlives it.
// Lifecycle: the directory exists as long as the object; removing it fails, and leaves it to the tree,
//   while somebody is in it.
class CgroupLeaf {
 public:
  explicit CgroupLeaf(std::string directory);
  ~CgroupLeaf();
  CgroupLeaf(const CgroupLeaf&) = delete;
  CgroupLeaf& operator=(const CgroupLeaf&) = delete;

  [[nodiscard]] const std::string& directory() const { return directory_; }
  // The descriptor that a Launch needs; open from the first call to close().
  Result<int> descriptor();
  void close();
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  // Sets the limits. The error names the first one that the kernel refused, and why.
  Result<void> limit(const CgroupLimits& limits);
  // How often the kernel has killed here for lack of memory since the last call.
  std::uint64_t take_oom_kills();
  // What was used here since the last call: of processor time all, of memory the peak of all processes
  // together, if it is higher than ever before here (memory.peak, since Linux 5.19, with the memory
  // controller), else 0.
  Usage take_usage();
  [[nodiscard]] bool is_populated() const;

 private:
  std::string directory_;
  int descriptor_ = -1;
  std::uint64_t oom_kills_ = 0;
  Usage used_;  // by the last call
};

// Owner: the native resources.
// Lifecycle: open() makes the directory, the destructor removes what is empty and, when belfry was moved,
//   moves it back.
class CgroupTree {
 public:
  // `own`: belfry's cgroup directory (cgroup::own_directory()). The error says why there can be none.
  // `companion` goes where belfry goes: its guard; 0: there is none.
  static Result<std::unique_ptr<CgroupTree>> open(std::string own, std::string_view stack_name,
                                                  pid_t companion = 0);
  ~CgroupTree();
  CgroupTree(const CgroupTree&) = delete;
  CgroupTree& operator=(const CgroupTree&) = delete;

  // Enables the controllers that the limits need for the leaves to come. A cgroup whose children have them
  // may hold no processes: where belfry is alone in its cgroup it moves itself aside, otherwise it is
  // an error.
  Result<void> enable(const CgroupLimits& needed);
  Result<std::unique_ptr<CgroupLeaf>> make_leaf(std::string_view service);
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  CgroupTree(std::string own, std::string directory, pid_t companion);
  void take_companion_to(const std::string& directory) const;
  Result<void> enable_one(std::string_view controller);
  Result<void> move_aside();

  std::string own_, directory_;
  pid_t companion_;
  std::string aside_;    // where belfry was moved to; empty: it was not
  std::string enabled_;  // "-memory -pids": what undoes it
};

}  // namespace belfry::system
