// The least that any program can do that hears of listen(2) by seccomp: listen_floor FILE LISTENER (PORT
// MILLISECONDS)…
//
// It starts one listener for each pair, catches its listen(2), lets it go on and looks at a copy of its
// socket until that listens; then it writes the time into the second half of FILE, at the listener's slot. No
// state, no list of who depends on whom, no log line, and nobody else to serve. SIGTERM ends it and its
// listeners.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { half = 4096 * 4, clone_stack = 64 * 1024 };

#define SET_FLAGS SECCOMP_IOW(4, __u64)  // SECCOMP_IOCTL_NOTIF_SET_FLAGS, since Linux 6.6
#define SYNC_WAKE_UP 1UL                 // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP

struct listener {
  char* argv[6];
  int notifier, process;
  pid_t pid;
};

static _Noreturn void die(const char* what) {
  perror(what);
  exit(71);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// In a child that shares memory and descriptors with its parent, which is suspended.
static int child_main(void* argument) {
  struct listener* listener = argument;
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_listen, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  listener->notifier =
      (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
  if (listener->notifier < 0 || syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_UNSHARE) != 0) _exit(126);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execv(listener->argv[0], listener->argv);
  _exit(127);
}

static void start(struct listener* listener, int epoll) {
  static char stack[clone_stack] __attribute__((aligned(16)));
  listener->notifier = -1;
  listener->pid =
      clone(child_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, listener);
  if (listener->pid < 0 || listener->notifier < 0) die("cannot start a listener");
  listener->process = (int)syscall(SYS_pidfd_open, listener->pid, 0);
  if (listener->process < 0) die("cannot open a listener");
  ioctl(listener->notifier, SET_FLAGS, SYNC_WAKE_UP);
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = listener}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener->notifier, &event) != 0) die("cannot watch a listener");
}

static void hear(const struct listener* listener, volatile int64_t* bell) {
  struct seccomp_notif call;
  memset(&call, 0, sizeof call);
  if (ioctl(listener->notifier, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return;
  const int copy = (int)syscall(SYS_pidfd_getfd, listener->process, (int)call.data.args[0], 0);
  if (copy < 0) die("cannot copy a socket");
  struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  ioctl(listener->notifier, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  for (;;) {
    int listens = 0;
    socklen_t length = sizeof listens;
    getsockopt(copy, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
    if (listens) break;
    sched_yield();
  }
  *bell = now();
  close(copy);
}

int main(int argc, char** argv) {
  if (argc < 5 || argc % 2 == 0) return 64;
  const int count = (argc - 3) / 2;
  const int file = open(argv[1], O_RDWR | O_CLOEXEC);
  char* record = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file < 0 || record == MAP_FAILED) die("cannot map the record");
  volatile int64_t* bells = (volatile int64_t*)(record + half);

  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, NULL);
  const int signals = signalfd(-1, &term, SFD_CLOEXEC);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event of_signals = {.events = EPOLLIN, .data = {.ptr = NULL}};
  if (signals < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &of_signals) != 0)
    die("cannot hear of signals");

  struct listener* listeners = calloc((size_t)count, sizeof *listeners);
  for (int i = 0; i < count; ++i) {
    char* slot = malloc(12);
    snprintf(slot, 12, "%d", i);
    char* words[6] = {argv[2], argv[1], slot, argv[3 + 2 * i], argv[4 + 2 * i], NULL};
    memcpy(listeners[i].argv, words, sizeof words);
    bells[i] = 0;
    start(&listeners[i], epoll);
  }
  for (;;) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, -1) != 1) continue;
    const struct listener* listener = event.data.ptr;
    if (listener == NULL) break;
    if (event.events & EPOLLIN)
      hear(listener, &bells[listener - listeners]);
    else
      epoll_ctl(epoll, EPOLL_CTL_DEL, listener->notifier, NULL);
  }
  for (int i = 0; i < count; ++i) kill(listeners[i].pid, SIGKILL);
  return 0;
}
