#include "tests/support/fake_syscalls.hpp"

namespace belfry::test {

namespace {

int next(std::deque<int>& errors) {
  if (errors.empty()) return 0;
  int error = errors.front();
  errors.pop_front();
  return error;
}

}  // namespace

pid_t FakeSyscalls::clone(int (*entry)(void*), void* stack_top, int flags, void* argument) {
  ++clones;
  last_clone_flags = flags;
  if (int error = next(clone_errors)) return -error;
  return Syscalls::clone(entry, stack_top, flags, argument);
}

pid_t FakeSyscalls::clone_into(int (*entry)(void*), void* stack, std::size_t stack_size, int flags,
                               void* argument, int cgroup) {
  ++clones;
  last_clone_flags = flags;
  if (int error = next(clone_into_errors)) return -error;
  return Syscalls::clone_into(entry, stack, stack_size, flags, argument, cgroup);
}

int FakeSyscalls::waitid(idtype_t type, id_t id, siginfo_t* info, int options, rusage* usage) {
  ++(type == P_ALL ? looks_at_all_children : looks_at_one_child);
  if (type == P_ALL && sweep_takes > Duration::zero()) {
    const TimePoint end = Clock::now() + sweep_takes;
    while (Clock::now() < end) {
    }
  }
  return Syscalls::waitid(type, id, info, options, usage);
}

int FakeSyscalls::kill(pid_t pid, int signo) {
  if (int error = next(kill_errors)) return -error;
  return Syscalls::kill(pid, signo);
}

int FakeSyscalls::duplicate(int source, int target) {
  if (int error = next(duplicate_errors)) return -error;
  return Syscalls::duplicate(source, target);
}

int FakeSyscalls::open(const char* path, int flags) {
  if (int error = next(open_errors)) return -error;
  return Syscalls::open(path, flags);
}

int FakeSyscalls::socket(int domain, int type, int protocol) {
  if (int error = next(socket_errors)) return -error;
  return Syscalls::socket(domain, type, protocol);
}

int FakeSyscalls::receive_notification(int fd, seccomp_notif& into) {
  if (int error = next(receive_errors)) return -error;
  return Syscalls::receive_notification(fd, into);
}

int FakeSyscalls::open_process(pid_t pid) {
  ++processes_opened;
  return Syscalls::open_process(pid);
}

int FakeSyscalls::copy_descriptor(int process, int fd) {
  if (int error = next(copy_errors)) return -error;
  return Syscalls::copy_descriptor(process, fd);
}

}  // namespace belfry::test
