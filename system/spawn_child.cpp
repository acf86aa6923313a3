#include "system/spawn_child.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "system/process.hpp"
#include "system/subreaper_shim.hpp"

// As in syscalls.cpp.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __clone(int (*entry)(void*), void* stack, int flags, void* argument, ...);

// The child runs on the parent's memory: a sanitizer's bookkeeping would see frames that never end.
#define BELFRY_CHILD __attribute__((disable_sanitizer_instrumentation)) static

namespace belfry::system::detail {

namespace {

// raw system call: errno is not touched, the negative result is the error
template <class... Args>
__attribute__((disable_sanitizer_instrumentation)) long raw(long number, Args... args) {
  long result = ::syscall(number, args...);
  return result < 0 ? -errno : result;
}

}  // namespace

BELFRY_CHILD long fail(ChildPlan& plan, SpawnStage stage, long error) {
  plan.failed_stage = static_cast<std::uint8_t>(std::to_underlying(stage) + 1);
  plan.errnum = static_cast<int>(-error);
  return error;
}

// A table of its own that holds only what lies below the hole: the cost does not grow with the number
// of descriptors that belfry has open.
BELFRY_CHILD long unshare_descriptors(ChildPlan& plan) {
  if (plan.first_unneeded == 0) return 0;
  long result = raw(SYS_close_range, plan.first_unneeded, ~0U, CLOSE_RANGE_UNSHARE);
  if (result < 0) {
    plan.failed_stage = unshare_refused;
    plan.errnum = static_cast<int>(-result);
  }
  return result;
}

// First of all: the descriptor must appear in the table that is still shared with the parent, and the
// capability that allows it goes with the user. A refusal is no failure of the start.
BELFRY_CHILD void set_listen_trap(ChildPlan& plan) {
  if (plan.listen_filter == nullptr) return;
  if (plan.no_new_privileges) raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // A killable wait: a runtime that interrupts its threads with signals (Go) would call again and again.
  constexpr unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                             SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  long result = raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, plan.listen_filter);
  if (result == -EINVAL) {  // before Linux 5.19
    constexpr unsigned older = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    result = raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, older, plan.listen_filter);
  }
  plan.notifier = static_cast<int>(result);
}

BELFRY_CHILD long join_cgroup(const ChildPlan& plan) {
  if (plan.join_cgroup < 0) return 0;
  long file = raw(SYS_openat, plan.join_cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return file;
  long written = raw(SYS_write, file, "0", 1);
  raw(SYS_close, file);
  return written < 0 ? written : 0;
}

BELFRY_CHILD long enter_session(const ChildPlan& plan) {
  if (plan.new_session) {
    long result = raw(SYS_setsid);
    if (result < 0) return result;
    return plan.foreground_tty < 0 ? 0 : raw(SYS_ioctl, plan.foreground_tty, TIOCSCTTY, 0);
  }
  long result = raw(SYS_setpgid, 0, 0);
  if (result < 0 || plan.foreground_tty < 0) return result;
  // Asking from a group in the background would stop us, and with us the suspended parent, for good.
  const std::uint64_t background_write = std::uint64_t{1} << (SIGTTOU - 1);
  raw(SYS_rt_sigprocmask, SIG_BLOCK, &background_write, nullptr, 8);
  auto group = static_cast<pid_t>(raw(SYS_getpid));
  result = raw(SYS_ioctl, plan.foreground_tty, TIOCSPGRP, &group);
  return result == -ENOTTY ? 0 : result;  // a terminal, but not the one that controls us
}

// A mount namespace brings its own root with it, which is not belfry's where belfry runs in a chroot.
BELFRY_CHILD long enter_sandbox(const ChildPlan& plan) {
  if (plan.network_namespace >= 0) {
    if (long result = raw(SYS_setns, plan.network_namespace, CLONE_NEWNET); result < 0) return result;
  }
  if (plan.mount_namespace < 0) return 0;
  if (long result = raw(SYS_setns, plan.mount_namespace, CLONE_NEWNS); result < 0) return result;
  if (long result = raw(SYS_fchdir, plan.sandbox_root); result < 0) return result;
  return raw(SYS_chroot, ".");
}

// Keeps belfry's own descriptors from the program, puts the launch's in place.
BELFRY_CHILD long place_descriptors(const ChildPlan& plan) {
  long closed = raw(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (closed < 0) return closed;
  ChildDescriptor* moves = plan.descriptors;
  for (std::size_t i = 0; i < plan.descriptor_count && plan.relocate_above > 0; ++i) {
    long moved = raw(SYS_fcntl, moves[i].source, F_DUPFD_CLOEXEC, plan.relocate_above);
    if (moved < 0) return moved;
    moves[i].source = static_cast<int>(moved);
  }
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    auto [source, target] = moves[i];
    // dup3 onto itself is EINVAL and would not clear close-on-exec
    long result = source == target ? raw(SYS_fcntl, source, F_SETFD, 0) : raw(SYS_dup3, source, target, 0);
    if (result < 0) return result;
  }
  return 0;
}

BELFRY_CHILD long write_oom_score(const ChildPlan& plan) {
  long file = raw(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return file;
  long written = raw(SYS_write, file, plan.oom_score_adj, plan.oom_length);
  raw(SYS_close, file);
  return written < 0 ? written : 0;
}

BELFRY_CHILD long set_limits(ChildPlan& plan) {
  if (plan.set_umask) raw(SYS_umask, plan.umask);
  if (plan.oom_score_adj != nullptr) {
    if (long result = write_oom_score(plan); result < 0) {
      plan.failed_limit = failed_oom_score;
      return result;
    }
  }
  if (plan.set_nice) {
    if (long result = raw(SYS_setpriority, PRIO_PROCESS, 0, plan.nice); result < 0) {
      plan.failed_limit = failed_nice;
      return result;
    }
  }
  if (plan.cpus != nullptr) {
    if (long result = raw(SYS_sched_setaffinity, 0, plan.cpus_length, plan.cpus); result < 0) {
      plan.failed_limit = failed_cpus;
      return result;
    }
  }
  if (plan.set_disk_priority) {
    long result = raw(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, static_cast<int>(plan.disk_priority));
    if (result < 0) {
      plan.failed_limit = failed_disk_priority;
      return result;
    }
  }
  for (std::size_t i = 0; i < plan.limit_count; ++i) {
    const ChildLimit& limit = plan.limits[i];
    long result = raw(SYS_prlimit64, 0, limit.resource, &limit.value, nullptr);
    if (result < 0) {
      plan.failed_limit = limit.resource;
      return result;
    }
  }
  return 0;
}

// While CAP_SETPCAP is there. What is dropped here is lost with the exec at the latest; where a set-user-id
// change of belfry's keeps capabilities, `set_ambient` leaves none of them.
BELFRY_CHILD long limit_capabilities(ChildPlan& plan) {
  for (int capability = 0; capability < 64; ++capability) {
    if (((plan.bounded >> static_cast<unsigned>(capability)) & 1U) == 0) continue;
    long result = raw(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (result < 0) {
      plan.failed_limit = capability;
      return result;
    }
  }
  // Else a change to a user who is not root would empty the permitted set before anything can be raised.
  return plan.ambient == 0 ? 0 : raw(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

// After the change of user. A capability can be ambient only while it is permitted and inheritable; one that
// is inheritable would outlive the bounding set in a program of root's.
BELFRY_CHILD long set_ambient(ChildPlan& plan) {
  if (plan.dropped == 0 && plan.ambient == 0) return 0;
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  long result = raw(SYS_capget, &header, sets);
  if (result < 0) return result;
  for (unsigned i = 0; i < 2; ++i) {
    const auto ambient = static_cast<std::uint32_t>(plan.ambient >> (32 * i));
    const auto dropped = static_cast<std::uint32_t>(plan.dropped >> (32 * i));
    sets[i].permitted &= ~dropped;
    sets[i].inheritable = (sets[i].inheritable & ~dropped) | ambient;
    sets[i].effective = (sets[i].effective & ~dropped) | (ambient & sets[i].permitted);
  }
  result = raw(SYS_capset, &header, sets);
  for (int capability = 0; result >= 0 && capability < 64; ++capability) {
    if (((plan.ambient >> static_cast<unsigned>(capability)) & 1U) == 0) continue;
    result = raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    if (result < 0) plan.failed_limit = capability;
  }
  return result;
}

// Raw, because libc's setxid functions would signal the parent's threads to follow.
BELFRY_CHILD long change_identity(const ChildPlan& plan) {
  if (plan.change_identity) {
    long result = raw(SYS_setgroups, plan.group_count, plan.groups);
    if (result < 0) return result;
    result = raw(SYS_setresgid, plan.gid, plan.gid, plan.gid);
    if (result < 0) return result;
    result = raw(SYS_setresuid, plan.uid, plan.uid, plan.uid);
    if (result < 0) return result;
  }
  return 0;
}

BELFRY_CHILD long forbid_new_privileges(const ChildPlan& plan) {
  return plan.no_new_privileges ? raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

// After the change of user, which clears it. Whoever lost its parent in between is told by getppid.
BELFRY_CHILD void die_with_parent(const ChildPlan& plan) {
  if (plan.die_with == 0) return;
  raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (raw(SYS_getppid) != plan.die_with) raw(SYS_exit_group, 127);
}

// Everything is default and unblocked in the program, whatever belfry does and inherited.
BELFRY_CHILD void reset_signals(const ChildPlan& plan) {
  const std::uint64_t default_action[4] = {};  // the kernel's struct sigaction: SIG_DFL, no flags
  for (std::size_t i = 0; i < plan.ignored_count; ++i) {
    raw(SYS_rt_sigaction, static_cast<int>(plan.ignored_signals[i]), default_action, nullptr, 8);
  }
  const std::uint64_t nothing = 0;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, nullptr, 8);
}

BELFRY_CHILD void write_digits(char* to, long value) {
  char reversed[20];
  int count = 0;
  do {
    reversed[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) *to++ = reversed[--count];
  *to = '\0';
}

// As execvp: what does not exist or may not be executed is passed over, and EACCES is remembered.
BELFRY_CHILD long execute(const ChildPlan& plan) {
  if (plan.listen_pid_digits != nullptr) write_digits(plan.listen_pid_digits, raw(SYS_getpid));
  if (plan.watchdog_pid_digits != nullptr) write_digits(plan.watchdog_pid_digits, raw(SYS_getpid));
  long error = -ENOENT;
  for (std::size_t i = 0; i < plan.candidate_count; ++i) {
    long result = raw(SYS_execve, plan.candidates[i], plan.argv, plan.envp);
    if (result == -EACCES) {
      error = result;
    } else if (result != -ENOENT && result != -ENOTDIR) {
      return result;
    }
  }
  return error;
}

BELFRY_CHILD long become_program(ChildPlan& plan) {
  set_listen_trap(plan);
  long result = unshare_descriptors(plan);
  if (result < 0) return result;
  if (result = join_cgroup(plan); result < 0) return fail(plan, SpawnStage::cgroup, result);
  if (result = enter_session(plan); result < 0) return fail(plan, SpawnStage::session, result);
  if (result = enter_sandbox(plan); result < 0) return fail(plan, SpawnStage::sandbox, result);
  if (result = place_descriptors(plan); result < 0) return fail(plan, SpawnStage::descriptors, result);
  if (result = set_limits(plan); result < 0) return fail(plan, SpawnStage::limits, result);
  if (result = limit_capabilities(plan); result < 0) return fail(plan, SpawnStage::bounding, result);
  if (result = change_identity(plan); result < 0) return fail(plan, SpawnStage::identity, result);
  if (result = set_ambient(plan); result < 0) return fail(plan, SpawnStage::ambient, result);
  if (result = forbid_new_privileges(plan); result < 0) return fail(plan, SpawnStage::identity, result);
  if (plan.working_dir != nullptr) {
    result = raw(SYS_chdir, plan.working_dir);
    if (result < 0) return fail(plan, SpawnStage::working_dir, result);
  }
  die_with_parent(plan);
  reset_signals(plan);
  return fail(plan, SpawnStage::exec, execute(plan));
}

__attribute__((disable_sanitizer_instrumentation)) static int program_main(void* plan) {
  become_program(*static_cast<ChildPlan*>(plan));
  for (;;) raw(SYS_exit_group, 127);
}

// Nothing of belfry's or the service's stays open in it: a log pipe ends with the service.
BELFRY_CHILD long become_shim(ChildPlan& plan) {
  raw(SYS_setsid);
  for (int stream = 0; stream < 3; ++stream) {
    if (long result = raw(SYS_dup3, plan.null, stream, 0); result < 0) return result;
  }
  long result = plan.shim_socket == shim_socket ? raw(SYS_fcntl, shim_socket, F_SETFD, 0)
                                                : raw(SYS_dup3, plan.shim_socket, shim_socket, 0);
  if (result < 0) return result;
  raw(SYS_close_range, shim_socket + 1, ~0U, 0);
  return raw(SYS_execve, plan.shim_program, plan.shim_argv, plan.shim_envp);
}

// The program is cloned first, so that what fails in it is known before there is a shim; it dies with its
// shim, and belfry goes on when both have exec'd.
BELFRY_CHILD void make_program(ChildPlan& plan) {
  long result = unshare_descriptors(plan);
  if (result < 0) return;
  result = raw(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (result < 0) {
    fail(plan, SpawnStage::shim, result);
    return;
  }
  plan.first_unneeded = 0;
  plan.die_with = static_cast<pid_t>(raw(SYS_getpid));
  plan.program = ::__clone(program_main, plan.program_stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  if (plan.program < 0) fail(plan, SpawnStage::clone, -errno);
  if (plan.failed_stage == 0) {
    write_digits(plan.shim_digits, plan.program);
    fail(plan, SpawnStage::shim, become_shim(plan));
    raw(SYS_kill, plan.program, SIGKILL);
  }
  if (plan.program > 0) raw(SYS_waitid, P_PID, plan.program, nullptr, WEXITED, nullptr);
}

__attribute__((disable_sanitizer_instrumentation)) int shim_main(void* plan) {
  make_program(*static_cast<ChildPlan*>(plan));
  for (;;) raw(SYS_exit_group, 127);
}

__attribute__((disable_sanitizer_instrumentation)) int child_main(void* plan) {
  become_program(*static_cast<ChildPlan*>(plan));
  for (;;) raw(SYS_exit_group, 127);
}

}  // namespace belfry::system::detail
