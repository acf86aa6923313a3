#include "system/syscalls.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

// glibc's other name for clone. ThreadSanitizer takes a clone for a fork and does not expect the child to
// share its memory; under this name it stays out of it.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __clone(int (*entry)(void*), void* stack, int flags, void* argument, ...);

namespace belfry::system {

namespace {

int checked(int result) { return result < 0 ? -errno : result; }

constexpr unsigned pidfd_thread = O_EXCL;  // PIDFD_THREAD, since Linux 6.9

// SECCOMP_IOCTL_NOTIF_SET_FLAGS and SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, since Linux 6.6; Debian 12's headers
// are older.
constexpr unsigned long seccomp_set_flags = SECCOMP_IOW(4, __u64);
constexpr unsigned long seccomp_sync_wake_up = 1;

int open_pidfd(pid_t pid, unsigned flags) {
  return checked(static_cast<int>(::syscall(SYS_pidfd_open, pid, flags)));
}

// Before Linux 6.9 only whole processes can be opened: /proc says whose thread it is.
pid_t process_of(pid_t thread) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/status", thread);
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[512];
  const ssize_t got = ::read(file, text, sizeof text - 1);
  ::close(file);
  text[got > 0 ? got : 0] = '\0';
  const char* line = std::strstr(text, "\nTgid:");
  int pid = 0;
  return line != nullptr && std::sscanf(line, "\nTgid: %d", &pid) == 1 ? pid : 0;
}

}  // namespace

Syscalls& Syscalls::real() {
  static Syscalls instance;
  return instance;
}

pid_t Syscalls::clone(int (*entry)(void*), void* stack_top, int flags, void* argument) {
  return checked(::__clone(entry, stack_top, flags, argument));
}

// glibc has no public clone3. The child comes back from the system call on its own stack, with the registers
// of its parent, calls its function and never returns.
pid_t Syscalls::clone_into(int (*entry)(void*), void* stack, std::size_t stack_size, int flags,
                           void* argument, int cgroup) {
  clone_args arguments{};
  arguments.flags = static_cast<std::uint64_t>(flags & ~CSIGNAL) | CLONE_INTO_CGROUP;
  arguments.exit_signal = static_cast<std::uint64_t>(flags & CSIGNAL);
  arguments.stack = reinterpret_cast<std::uint64_t>(stack);
  arguments.stack_size = stack_size;
  arguments.cgroup = static_cast<std::uint64_t>(cgroup);
#if defined(__x86_64__)
  long result = SYS_clone3;
  register int (*function)(void*) asm("r12") = entry;
  register void* first asm("r13") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "hlt\n"
      "1:"
      : "+a"(result)
      : "D"(&arguments), "S"(sizeof arguments), "r"(function), "r"(first)
      : "rcx", "r11", "memory", "cc");
  return static_cast<pid_t>(result);
#elif defined(__aarch64__)
  register long number asm("x8") = SYS_clone3;
  register long result asm("x0") = reinterpret_cast<long>(&arguments);
  register long size asm("x1") = sizeof arguments;
  register int (*function)(void*) asm("x19") = entry;
  register void* first asm("x20") = argument;
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "brk #1\n"
      "1:"
      : "+r"(result)
      : "r"(number), "r"(size), "r"(function), "r"(first)
      : "memory", "cc");
  return static_cast<pid_t>(result);
#else
  return -ENOSYS;
#endif
}

// glibc has no wrapper with the fifth argument.
int Syscalls::waitid(idtype_t type, id_t id, siginfo_t* info, int options, rusage* usage) {
  return checked(static_cast<int>(::syscall(SYS_waitid, type, id, info, options, usage)));
}

int Syscalls::kill(pid_t pid, int signo) { return checked(::kill(pid, signo)); }

bool asks_to_end(int signo) {
  return signo == SIGTERM || signo == SIGINT || signo == SIGHUP || signo == SIGQUIT || signo == SIGABRT;
}

bool send_signal(Syscalls& syscalls, pid_t pid, int signo) {
  return asks_to_end(signo) ? ask_to_end(syscalls, pid, signo) : syscalls.kill(pid, signo) == 0;
}

bool ask_to_end(Syscalls& syscalls, pid_t pid, int signo) {
  const bool sent = syscalls.kill(pid, signo) == 0;
  if (sent) syscalls.kill(pid, SIGCONT);
  return sent;
}

int Syscalls::duplicate(int source, int target) { return checked(::dup3(source, target, O_CLOEXEC)); }

int Syscalls::open(const char* path, int flags) { return checked(::open(path, flags | O_CLOEXEC, 0600)); }

int Syscalls::pipe(int (&ends)[2], int flags) { return checked(::pipe2(ends, flags | O_CLOEXEC)); }

int Syscalls::socket(int domain, int type, int protocol) {
  return checked(::socket(domain, type | SOCK_CLOEXEC, protocol));
}

int Syscalls::become_subreaper() { return checked(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

int Syscalls::receive_notification(int fd, seccomp_notif& into) {
  return checked(::ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &into));
}

void Syscalls::wake_on_this_processor(int fd) { ::ioctl(fd, seccomp_set_flags, seccomp_sync_wake_up); }

int Syscalls::continue_notification(int fd, std::uint64_t id) {
  seccomp_notif_resp answer{};
  answer.id = id;
  answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  return checked(::ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

int Syscalls::open_process(pid_t pid) { return open_pidfd(pid, 0); }

int Syscalls::copy_descriptor(int process, int fd) {
  return checked(static_cast<int>(::syscall(SYS_pidfd_getfd, process, fd, 0)));
}

int Syscalls::copy_descriptor_of_thread(pid_t thread, int fd) {
  if (thread <= 0) return -ESRCH;  // in a pid namespace that does not show here
  int target = open_pidfd(thread, 0);
  if (target == -EINVAL || target == -ENOENT) target = open_pidfd(thread, pidfd_thread);
  if (target == -EINVAL) {
    const pid_t process = process_of(thread);
    target = process > 0 ? open_pidfd(process, 0) : -ESRCH;
  }
  if (target < 0) return target;
  const int copy = copy_descriptor(target, fd);
  ::close(target);
  return copy;
}

}  // namespace belfry::system
