#include "floor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void watch(struct floor* floor, int fd, uint64_t tag) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
  if (epoll_ctl(floor->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    perror("cannot watch a descriptor");
    exit(71);
  }
}

static void start(struct floor* floor, const struct floor_kind* kind, int service) {
  const pid_t pid = kind->launch(floor, service);
  if (pid < 0) {
    perror("cannot start a service");
    exit(71);
  }
  floor->pids[service] = pid;
  ++floor->running;
}

void service_ready(struct floor* floor, const struct floor_kind* kind, int service) {
  const struct edges* up = &floor->graph.dependents;
  if (floor->stopping) return;
  for (int e = up->first[service]; e < up->first[service + 1]; ++e) {
    if (--floor->unready_dependencies[up->list[e]] == 0) start(floor, kind, up->list[e]);
  }
}

void service_gone(struct floor* floor, const struct floor_kind* kind, int service) {
  const struct edges* down = &floor->graph.dependencies;
  floor->pids[service] = 0;
  --floor->running;
  for (int e = down->first[service]; e < down->first[service + 1]; ++e) {
    const int dependency = down->list[e];
    if (--floor->running_dependents[dependency] == 0 && floor->stopping && floor->pids[dependency] != 0)
      kind->stop(floor, dependency);
  }
}

static void stop_all(struct floor* floor, const struct floor_kind* kind) {
  floor->stopping = true;
  for (int i = 0; i < floor->graph.count; ++i) {
    if (floor->pids[i] != 0 && floor->running_dependents[i] == 0) kind->stop(floor, i);
  }
}

static void count_edges(struct floor* floor) {
  const struct graph* graph = &floor->graph;
  for (int i = 0; i < graph->count; ++i) {
    floor->unready_dependencies[i] = graph->dependencies.first[i + 1] - graph->dependencies.first[i];
    floor->running_dependents[i] = graph->dependents.first[i + 1] - graph->dependents.first[i];
  }
}

static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void take_signals(struct floor* floor, const struct floor_kind* kind, int fd) {
  struct signalfd_siginfo info;
  while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
    if (info.ssi_signo == SIGCHLD) kind->reap(floor);
    if (info.ssi_signo == SIGTERM) stop_all(floor, kind);
  }
}

int make_notify_socket(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      bind(fd, (struct sockaddr*)&address, sizeof address) != 0) {
    perror("cannot bind a notify socket");
    exit(71);
  }
  return fd;
}

bool receive_notification(int fd, pid_t* sender, bool* ready) {
  char text[4096];
  union {
    char bytes[CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr align;
  } control;
  struct iovec part = {text, sizeof text - 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  const ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) return false;
  text[n] = '\0';
  *ready = strcmp(text, "READY=1") == 0;
  *sender = 0;
  const struct cmsghdr* credentials = CMSG_FIRSTHDR(&message);
  if (credentials != NULL && credentials->cmsg_type == SCM_CREDENTIALS) {
    struct ucred from;
    memcpy(&from, CMSG_DATA(credentials), sizeof from);
    *sender = from.pid;
  }
  return true;
}

int run_floor(const char* graph_path, const struct floor_kind* kind) {
  raise_descriptor_limit();
  struct floor floor = {.graph = load_graph(graph_path), .epoll = epoll_create1(EPOLL_CLOEXEC)};
  const size_t count = (size_t)floor.graph.count;
  floor.unready_dependencies = calloc(count, sizeof(int));
  floor.running_dependents = calloc(count, sizeof(int));
  floor.pids = calloc(count, sizeof(pid_t));
  count_edges(&floor);

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGCHLD);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  const int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  watch(&floor, signal_fd, tag_signals);
  kind->prepare(&floor);

  for (int i = 0; i < floor.graph.count; ++i) {
    if (floor.unready_dependencies[i] == 0) start(&floor, kind, i);
  }
  while (!floor.stopping || floor.running > 0) {
    struct epoll_event events[64];
    const int n = epoll_wait(floor.epoll, events, 64, -1);
    for (int i = 0; i < n; ++i) {
      if (events[i].data.u64 == tag_signals)
        take_signals(&floor, kind, signal_fd);
      else
        kind->handle(&floor, events[i].data.u64);
    }
  }
  return 0;
}
