// A dependency graph as the floor programs need it: who waits for how many, and who waits for whom.
#ifndef BELFRY_BENCH_FLOOR_GRAPH_H
#define BELFRY_BENCH_FLOOR_GRAPH_H

struct edges {
  int* first;  // targets of i are list[first[i]] … list[first[i + 1] - 1]
  int* list;
};

struct graph {
  int count;
  struct edges dependencies;
  struct edges dependents;
  char*** argv;  // of each service, NULL-terminated
};

// Reads what bench/stacks.py writes: the count, then a line per service: K D1 … DK -- ARGV…
// Dependencies come before their dependents. On a mistake prints one line and exits with 65.
struct graph load_graph(const char* path);

#endif
