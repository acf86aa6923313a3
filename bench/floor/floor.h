// What both floor programs share: the graph, its order, and the loop that follows it.
//
// A floor is the least that any program can do that starts each service when the last of its
// dependencies has sent READY=1, and on SIGTERM stops each one when the last of its dependents has
// been reaped. It parses nothing but a list of numbers, keeps no history and answers nobody.
#ifndef BELFRY_BENCH_FLOOR_FLOOR_H
#define BELFRY_BENCH_FLOOR_FLOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "graph.h"

struct floor {
  struct graph graph;
  int epoll;
  int* unready_dependencies;  // by service
  int* running_dependents;    // by service, counted down while stopping
  pid_t* pids;                // by service; 0: not running
  int running;
  bool stopping;
};

// The two programs differ in these.
struct floor_kind {
  void (*prepare)(struct floor*);               // whatever is made before the first start
  pid_t (*launch)(struct floor*, int service);  // -1 ends the program
  void (*stop)(struct floor*, int service);     // asks it to stop
  void (*reap)(struct floor*);                  // SIGCHLD came
  void (*handle)(struct floor*, uint64_t tag);  // an epoll event with one of the kind's own tags
};

enum { tag_signals = 0, tag_first_of_kind = 1 };

// Adds a descriptor to the loop; `tag` comes back in `handle`.
void watch(struct floor* floor, int fd, uint64_t tag);

// To be called by the kinds.
void service_ready(struct floor* floor, const struct floor_kind* kind, int service);
void service_gone(struct floor* floor, const struct floor_kind* kind, int service);

// Runs the whole life of the program; returns its exit code.
int run_floor(const char* graph_path, const struct floor_kind* kind);

// One datagram that came to a notify socket: its sender, and whether it says READY=1. False: none is left.
bool receive_notification(int fd, pid_t* sender, bool* ready);

// A bound datagram socket that delivers its senders' credentials.
int make_notify_socket(const char* path);

#endif
