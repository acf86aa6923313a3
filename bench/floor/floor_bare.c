// floor_bare GRAPH DIRECTORY: epoll and clone(VM | VFORK), and nothing else.
//
// One notify socket for all services, told apart by the sender's credentials; no session, no log
// pipe, no pidfd: children inherit what this program has.
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"

enum { tag_notify = tag_first_of_kind, highest_pid = 1 << 22 };

static int notify_fd;
static char socket_path[100];
static char* environment[2];
static int service_of[highest_pid];  // by pid, plus one
static char child_stack[64 * 1024] __attribute__((aligned(16)));

static void prepare(struct floor* floor) {
  static char variable[128];
  notify_fd = make_notify_socket(socket_path);
  watch(floor, notify_fd, tag_notify);
  snprintf(variable, sizeof variable, "NOTIFY_SOCKET=%s", socket_path);
  environment[0] = variable;
}

static int child_main(void* argument) {
  char** argv = argument;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(argv[0], argv, environment);
  _exit(127);
}

static pid_t launch(struct floor* floor, int service) {
  const pid_t pid = clone(child_main, child_stack + sizeof child_stack, CLONE_VM | CLONE_VFORK | SIGCHLD,
                          floor->graph.argv[service]);
  if (pid > 0) service_of[pid] = service + 1;
  return pid;
}

static void stop(struct floor* floor, int service) { kill(floor->pids[service], SIGTERM); }

static void reap(struct floor* floor);
static void handle(struct floor* floor, uint64_t tag);
static const struct floor_kind kind = {prepare, launch, stop, reap, handle};

static void reap(struct floor* floor) {
  for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) service_gone(floor, &kind, service_of[pid] - 1);
}

static void handle(struct floor* floor, uint64_t tag) {
  (void)tag;
  pid_t sender;
  bool ready;
  while (receive_notification(notify_fd, &sender, &ready)) {
    if (ready && service_of[sender] > 0) service_ready(floor, &kind, service_of[sender] - 1);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fputs("usage: floor_bare GRAPH DIRECTORY\n", stderr);
    return 64;
  }
  snprintf(socket_path, sizeof socket_path, "%s/notify", argv[2]);
  return run_floor(argv[1], &kind);
}
