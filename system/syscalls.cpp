#include "system/syscalls.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

// glibc's other name for clone. ThreadSanitizer takes a clone for a fork and does not expect the child to
// share its memory; under this name it stays out of it.
extern "C" int __clone(int (*entry)(void*), void* stack, int flags, void* argument, ...);

namespace belfry::system {

namespace {

int checked(int result) { return result < 0 ? -errno : result; }

}  // namespace

Syscalls& Syscalls::real() {
  static Syscalls instance;
  return instance;
}

pid_t Syscalls::clone(int (*entry)(void*), void* stack_top, int flags, void* argument) {
  return checked(::__clone(entry, stack_top, flags, argument));
}

int Syscalls::waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  return checked(::waitid(type, id, info, options));
}

int Syscalls::kill(pid_t pid, int signo) { return checked(::kill(pid, signo)); }

int Syscalls::duplicate(int source, int target) { return checked(::dup3(source, target, O_CLOEXEC)); }

int Syscalls::open(const char* path, int flags) { return checked(::open(path, flags | O_CLOEXEC, 0600)); }

int Syscalls::pipe(int (&ends)[2], int flags) { return checked(::pipe2(ends, flags | O_CLOEXEC)); }

int Syscalls::socket(int domain, int type, int protocol) {
  return checked(::socket(domain, type | SOCK_CLOEXEC, protocol));
}

int Syscalls::become_subreaper() { return checked(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

}  // namespace belfry::system
