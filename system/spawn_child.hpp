// The child's half of a spawn: from the clone to the exec, in memory that it shares with its suspended
// parent.
//
// No allocation, no lock, no libc state: raw system calls on values that the parent laid out. A failure
// is told by `failed_stage` and `errnum`, which the parent reads as soon as it runs again.
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace belfry::system::detail {

struct ChildDescriptor {
  int source;
  int target;
};

struct ChildLimit {
  int resource;
  rlimit value;
};

// Everything by value or pointer, nothing owned: the Spawner keeps what is pointed at.
struct ChildPlan {
  // exec: candidates in order
  char* const* candidates;
  std::size_t candidate_count;
  char* const* argv;
  char* const* envp;
  char* listen_pid_digits;  // null, or where the child writes its pid, zero-terminated
  char* watchdog_pid_digits;

  // a shim between belfry and the program: null, or what it is exec'd with
  const char* shim_program;
  char* const* shim_argv;
  char* const* shim_envp;
  char* shim_digits;  // where the program's pid goes in shim_argv
  int shim_socket;
  int null;  // /dev/null
  void* program_stack_top;
  pid_t program;  // answer: the program's pid

  // descriptors: below `first_unneeded` survives the unsharing of the table; 0: plain clone, not shared
  int first_unneeded;
  ChildDescriptor* descriptors;  // sources are changed by relocating
  std::size_t descriptor_count;
  int relocate_above;  // > 0: move sources above this first, targets and sources may collide

  // cgroup: -1, or the directory of the one to join, where the clone could not do it
  int join_cgroup;

  // sandbox: descriptors of its namespaces and of the root in them; -1: belfry's own
  int mount_namespace, network_namespace, sandbox_root;

  // session
  bool new_session;
  int foreground_tty;

  // limits
  const ChildLimit* limits;
  std::size_t limit_count;
  bool set_umask, set_nice;
  mode_t umask;
  int nice;
  const char* oom_score_adj;  // null, or decimal text
  std::size_t oom_length;
  const std::uint8_t* cpus;  // null, or a set of CPUs as sched_setaffinity(2) takes it
  std::size_t cpus_length;
  bool set_disk_priority;
  std::uint16_t disk_priority;

  // capabilities
  std::uint64_t bounded;  // to be taken out of the bounding set
  std::uint64_t dropped, ambient;

  // identity
  bool change_identity;
  uid_t uid;
  gid_t gid;
  const gid_t* groups;
  std::size_t group_count;
  bool no_new_privileges;
  pid_t die_with;  // 0, or belfry's pid

  const char* working_dir;  // null: stay

  const sock_fprog* listen_filter;  // null: no notifier

  const std::uint8_t* ignored_signals;  // to be reset to default
  std::size_t ignored_count;

  // answer
  std::uint8_t failed_stage;  // 0: none; SpawnStage + 1; unshare_refused
  int errnum;
  int failed_limit;  // resource number, or one of the below; of `bounding` and `ambient`: capability; -1:
                     // none
  int notifier;      // the notification descriptor in the shared table, or the -errno of what refused it
};

inline constexpr std::uint8_t unshare_refused = 100;
inline constexpr int failed_nice = -2, failed_oom_score = -3, failed_cpus = -4, failed_disk_priority = -5;

// Entries of clone(2); neither ever returns. `plan` is a ChildPlan*. That of the shim clones the program and
// becomes the shim.
int child_main(void* plan);
int shim_main(void* plan);

}  // namespace belfry::system::detail
