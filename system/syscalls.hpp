// The kernel calls that can fail on us for no fault of ours: out of processes, descriptors or memory.
//
// Code that must survive such a failure calls them through this seam; tests put a fake there that fails
// on demand (tests/support/fake_syscalls). Every method returns a value or -errno, never sets errno.
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <cstddef>
#include <cstdint>

struct rusage;
struct seccomp_notif;

namespace belfry::system {

// It outlives whoever was given it.
class Syscalls {
 public:
  virtual ~Syscalls() = default;

  // The real kernel.
  static Syscalls& real();

  // clone(2) with a stack of its own; `stack_top` is the high end.
  virtual pid_t clone(int (*entry)(void*), void* stack_top, int flags, void* argument);
  // The same by clone3(2), with the child in the cgroup v2 whose directory `cgroup` is (since Linux 5.7).
  // -ENOSYS where the kernel, a seccomp profile or the processor's code for it is missing.
  virtual pid_t clone_into(int (*entry)(void*), void* stack, std::size_t stack_size, int flags,
                           void* argument, int cgroup);
  // `usage`: what the process took, and the children that it has waited for; null: nobody wants to know.
  virtual int waitid(idtype_t type, id_t id, siginfo_t* info, int options, rusage* usage);
  virtual int kill(pid_t pid, int signo);
  virtual int duplicate(int source, int target);  // dup3 with O_CLOEXEC
  virtual int open(const char* path, int flags);
  virtual int pipe(int (&ends)[2], int flags);
  virtual int socket(int domain, int type, int protocol);
  virtual int become_subreaper();

  // seccomp_unotify(2) and what goes with it. A process is held by its pidfd; `copy_descriptor` is
  // pidfd_getfd(2), on what open_process() gave or on the process of a thread.
  virtual int receive_notification(int fd, seccomp_notif& into);
  virtual void wake_on_this_processor(int fd);  // both ways; before Linux 6.6 nothing happens
  virtual int continue_notification(int fd, std::uint64_t id);
  virtual int open_process(pid_t pid);
  virtual int copy_descriptor(int process, int fd);
  int copy_descriptor_of_thread(pid_t thread, int fd);
};

// Whether this signal asks a process to end: TERM, INT, HUP, QUIT, and ABRT, with which a watchdog asks for a
// core. A stopped process would act on it only when it goes on, so it is followed by SIGCONT, whichever way
// it is sent.
[[nodiscard]] bool asks_to_end(int signo);
// kill(2), and SIGCONT behind what asks to end. False: nobody got it.
bool send_signal(Syscalls& syscalls, pid_t pid, int signo);
// The same with a signal of whose meaning nothing is known (`stop: {signal: …}`): SIGCONT follows in any
// case.
bool ask_to_end(Syscalls& syscalls, pid_t pid, int signo);

}  // namespace belfry::system
