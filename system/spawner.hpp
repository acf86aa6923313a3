// Makes processes as fast as the kernel can: clone with shared memory, prepared words, and a descriptor
// table that is copied only as far as the child needs it.
//
// clone(CLONE_VM | CLONE_VFORK | CLONE_FILES), then in the child
// close_range(hole, ~0, CLOSE_RANGE_UNSHARE): the kernel copies the descriptors below the hole only, so
// ten thousand open log pipes cost nothing. What the child needs must therefore sit below the hole: a few
// staging slots are reserved there at start-up and lent to one launch at a time. Where the kernel refuses
// (before 5.9, or a seccomp profile), or when a launch passes more descriptors than there are slots, a
// clone with a table of its own does.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "system/launch.hpp"
#include "system/process.hpp"
#include "system/spawn_child.hpp"
#include "system/subreaper_shims.hpp"
#include "system/syscalls.hpp"

namespace belfry::system {

// Owner: NativeProcesses.
// Lifecycle: make it early, while few descriptors are open: the slots take the lowest free numbers.
//   Marks everything that is open at that time close-on-exec.
// A spawn ends when the child has called exec or failed, and cannot be cancelled.
class Spawner {
 public:
  explicit Spawner(Syscalls& syscalls);
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  // The child's pid once it runs its own program; nobody but the caller has been told of it. A child that
  // could not run its program is reaped here. With launch.isolate, `shim` gets the shim's pid and the socket
  // to it, which is the caller's.
  std::expected<pid_t, SpawnError> spawn(Launch& launch, SpawnedShim* shim = nullptr);

  // Whether children get their table by the cheap way.
  [[nodiscard]] bool unshares() const { return unshares_; }

 private:
  static constexpr std::size_t slot_count = 15;

  std::expected<pid_t, SpawnError> attempt(Launch& launch, SpawnedShim* shim);
  int lay_out_shim(const Launch& launch, SpawnedShim& shim);  // 0 or -errno
  pid_t clone(int flags, bool below_a_shim);
  pid_t clone_into(int cgroup, int flags);
  void lay_out_words(Launch& launch);
  void lay_out_attributes(const Launch& launch);
  int lay_out_descriptors(const Launch& launch);  // 0 or -errno
  int lay_out_sandbox(const Launch& launch);      // 0 or -errno
  int lend(int source);                           // a number below the hole, or -errno
  void take_back_slots();
  void lay_out_listen_filter(const Launch& launch);
  void answer_listen_request(const Launch& launch);

  Syscalls& syscalls_;
  bool unshares_ = true;
  void* stack_ = nullptr;
  int null_ = -1;
  int hole_ = 0;
  int lent_cgroup_ = -1;
  int shim_end_ = -1;  // the shim's end of its socket, until it has its own
  std::vector<int> slots_;
  std::vector<int> lent_;  // what slots_[i] holds in this spawn

  // Laid out anew for each spawn; capacity stays.
  detail::ChildPlan plan_{};
  std::vector<char*> argv_, envp_, candidates_;
  std::vector<detail::ChildDescriptor> moves_;
  std::vector<detail::ChildLimit> limits_;
  std::vector<std::uint8_t> ignored_;
  std::vector<std::uint8_t> cpus_;
  sock_fprog listen_filter_{};
  char listen_pid_[32];
  char watchdog_pid_[32];
  char oom_score_[16];
  void* program_stack_ = nullptr;  // of a program that is cloned by its shim; made with the first one
  char shim_digits_[16];
  char* shim_argv_[5];
  char* shim_envp_[2];
};

}  // namespace belfry::system
