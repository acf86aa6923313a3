// floor_full GRAPH DIRECTORY: the bare floor plus the kernel work that belfry cannot do without.
//
// Per service a session, a pidfd, a log pipe for stdout and stderr, a notify socket of its own, and a
// descriptor table without anything of the parent's. All but the clone is made before the first start.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"

// An epoll tag is service * 4 + one of these; so the tags of service 0 stay clear of tag_signals.
enum { from_notify = 1, from_log = 2, from_pidfd = 3, staged_fd = 3 };

struct resources {
  int notify_fd, log_read, log_write, pidfd;
  char variable[128];  // NOTIFY_SOCKET=…
  char* environment[2];
};

static const char* directory;
static struct resources* resources;
static char child_stack[64 * 1024] __attribute__((aligned(16)));

static void prepare(struct floor* floor) {
  resources = calloc((size_t)floor->graph.count, sizeof *resources);
  for (int i = 0; i < floor->graph.count; ++i) {
    struct resources* r = &resources[i];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) exit(71);
    r->log_read = ends[0];
    r->log_write = ends[1];
    fcntl(r->log_read, F_SETFL, O_NONBLOCK);
    snprintf(r->variable, sizeof r->variable, "NOTIFY_SOCKET=%s/%d", directory, i);
    r->notify_fd = make_notify_socket(r->variable + strlen("NOTIFY_SOCKET="));
    r->environment[0] = r->variable;
    watch(floor, r->log_read, (uint64_t)i * 4 + from_log);
    watch(floor, r->notify_fd, (uint64_t)i * 4 + from_notify);
  }
}

struct child_arguments {
  char** argv;
  char** environment;
};

// Runs on the parent's memory while the parent is suspended. The descriptor table is shared until
// close_range unshares it, copying no more than the few descriptors below the range.
static int child_main(void* argument) {
  const struct child_arguments* child = argument;
  if (syscall(SYS_close_range, staged_fd + 1, ~0U, CLOSE_RANGE_UNSHARE) != 0) _exit(126);
  dup2(staged_fd, STDOUT_FILENO);
  dup2(staged_fd, STDERR_FILENO);
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(child->argv[0], child->argv, child->environment);
  _exit(127);
}

static pid_t launch(struct floor* floor, int service) {
  struct resources* r = &resources[service];
  struct child_arguments child = {floor->graph.argv[service], r->environment};
  dup3(r->log_write, staged_fd, O_CLOEXEC);
  const pid_t pid = clone(child_main, child_stack + sizeof child_stack,
                          CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | SIGCHLD, &child, &r->pidfd);
  close(r->log_write);
  if (pid > 0) watch(floor, r->pidfd, (uint64_t)service * 4 + from_pidfd);
  return pid;
}

static void stop(struct floor* floor, int service) { kill(-floor->pids[service], SIGTERM); }

static void reap(struct floor* floor) { (void)floor; }  // the pidfds tell, one by one

static void handle(struct floor* floor, uint64_t tag);
static const struct floor_kind kind = {prepare, launch, stop, reap, handle};

// Reads what is there; closes at the end of the stream, which comes before the pidfd tells of the exit.
static void drain_log(int* fd) {
  char block[4096];
  ssize_t n = *fd < 0 ? -1 : read(*fd, block, sizeof block);
  while (n == (ssize_t)sizeof block) n = read(*fd, block, sizeof block);
  if (n != 0) return;
  close(*fd);
  *fd = -1;
}

static void take_exit(struct floor* floor, int service) {
  struct resources* r = &resources[service];
  siginfo_t info;
  if (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return;
  drain_log(&r->log_read);
  close(r->pidfd);
  close(r->notify_fd);
  service_gone(floor, &kind, service);
}

static void take_notifications(struct floor* floor, int service) {
  pid_t sender;
  bool ready;
  while (receive_notification(resources[service].notify_fd, &sender, &ready)) {
    if (ready && sender == floor->pids[service]) service_ready(floor, &kind, service);
  }
}

static void handle(struct floor* floor, uint64_t tag) {
  const int service = (int)(tag / 4);
  switch (tag % 4) {
    case from_notify: take_notifications(floor, service); break;
    case from_log: drain_log(&resources[service].log_read); break;
    default: take_exit(floor, service); break;
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fputs("usage: floor_full GRAPH DIRECTORY\n", stderr);
    return 64;
  }
  directory = argv[2];
  const int reserved = open("/dev/null", O_RDONLY | O_CLOEXEC);  // keeps number 3 for the staging
  if (reserved != staged_fd) return 71;
  return run_floor(argv[1], &kind);
}
