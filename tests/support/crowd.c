// Many processes, from a small one, so that ten thousand take a second.
//
//   crowd together N   N children; says "all are here"; when it has read a line it ends, they end with it,
//   and belong to its parent crowd round N      starts one after the other until their numbers have gone
//   round N times; says "went round" crowd bomb         forks for ever, each in a session of its own
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int gate[2];

static int wait_at_the_gate(void* unused) {
  char byte = 0;
  (void)unused;
  close(gate[1]);
  return read(gate[0], &byte, 1) < 0;
}

// They share their memory: there are no page tables to copy, and the machine has time for other things.
static int together(int count) {
  enum { stack_size = 4096 };
  char byte = 0;
  char* stacks = malloc((size_t)count * stack_size);
  if (stacks == NULL || pipe(gate) != 0) return 1;
  for (int i = 1; i <= count; ++i) {
    if (clone(wait_at_the_gate, stacks + (size_t)i * stack_size, CLONE_VM | SIGCHLD, NULL) > 0) continue;
    perror("clone");
    _exit(1);
  }
  puts("all are here");
  fflush(stdout);
  return read(STDIN_FILENO, &byte, 1) < 0;
}

static int below_another(int count) {
  const pid_t between = fork();
  if (between == 0) _exit(together(count));
  waitpid(between, NULL, 0);
  for (;;) pause();
}

static int round_and_round(int turns) {
  for (pid_t last = 0; turns > 0;) {
    const pid_t child = vfork();
    if (child <= 0) _exit(child < 0);
    turns -= child < last;
    last = child;
    waitpid(child, NULL, 0);
  }
  puts("went round");
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "bomb") == 0)
    for (;;)
      if (fork() == 0) setsid();
  if (argc != 3) return 64;
  return strcmp(argv[1], "round") == 0 ? round_and_round(atoi(argv[2])) : below_another(atoi(argv[2]));
}
