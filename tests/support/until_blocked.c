// Runs a program until it blocks signals, and prints how many microseconds of processor time, and how many
// system calls, that took from its execve(2) on: what a signal must not come before. Processor time, so that
// a busy machine does not count.
//
//   until_blocked PROGRAM ARGUMENT…
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(2);
}

static long long processor_time(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) fail("clock_gettime");
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int next_stop(pid_t child, enum __ptrace_request how) {
  int status = 0;
  if (ptrace(how, child, 0, 0) != 0 || waitpid(child, &status, 0) != child) fail("ptrace");
  if (!WIFSTOPPED(status)) {
    fprintf(stderr, "the program ended without blocking signals\n");
    exit(1);
  }
  return status;
}

// Whether it is about to make the call that blocks nearly everything.
static int is_blocking(pid_t child) {
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0) fail("PTRACE_GET_SYSCALL_INFO");
  return info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_rt_sigprocmask &&
         info.entry.args[0] == SIG_SETMASK && info.entry.args[1] != 0;
}

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execv(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
  while (next_stop(child, PTRACE_CONT) >> 8 != (SIGTRAP | (PTRACE_EVENT_EXEC << 8))) continue;
  clockid_t clock;
  if (clock_getcpuclockid(child, &clock) != 0) fail("clock_getcpuclockid");
  const long long from = processor_time(clock);
  int calls = 0;
  do {
    next_stop(child, PTRACE_SYSCALL);
    ++calls;
  } while (!is_blocking(child));
  printf("%lld %d\n", (processor_time(clock) - from) / 1000, calls / 2);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return 0;
}
