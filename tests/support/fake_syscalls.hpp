// A kernel that fails on demand: everything goes to the real one unless a test said otherwise.
#pragma once

#include <deque>

#include "channels/time/time.hpp"
#include "system/syscalls.hpp"

namespace belfry::test {

// Owner: the test. Lifecycle: outlives whoever was given it. Cancellation: none.
class FakeSyscalls : public system::Syscalls {
 public:
  // Errors (positive errno) that the next calls end with, in order; 0 lets one pass.
  std::deque<int> clone_errors, clone_into_errors, open_errors, duplicate_errors, kill_errors, socket_errors,
      receive_errors, copy_errors;
  int clones = 0;
  int processes_opened = 0;  // by open_process()
  int last_clone_flags = 0;
  // What each look at all children costs beyond its own time.
  Duration sweep_takes{0};
  int looks_at_all_children = 0;
  int looks_at_one_child = 0;

  pid_t clone(int (*entry)(void*), void* stack_top, int flags, void* argument) override;
  pid_t clone_into(int (*entry)(void*), void* stack, std::size_t stack_size, int flags, void* argument,
                   int cgroup) override;
  int waitid(idtype_t type, id_t id, siginfo_t* info, int options, rusage* usage) override;
  int kill(pid_t pid, int signo) override;
  int duplicate(int source, int target) override;
  int open(const char* path, int flags) override;
  int socket(int domain, int type, int protocol) override;
  int receive_notification(int fd, seccomp_notif& into) override;
  int open_process(pid_t pid) override;
  int copy_descriptor(int process, int fd) override;
};

}  // namespace belfry::test
