// What the ticks write down and bench/run reads: one file mapped by all of them.
#ifndef BELFRY_BENCH_FLOOR_RECORD_H
#define BELFRY_BENCH_FLOOR_RECORD_H

#include <stdint.h>
#include <time.h>

// CLOCK_MONOTONIC in nanoseconds; 0: it has not happened.
struct tick_record {
  int64_t main;   // first line of main()
  int64_t ready;  // just before READY=1 was sent
  int64_t asked;  // SIGTERM was taken
  int64_t gone;   // last line of the program
};

struct record_header {
  int32_t total;        // how many ticks there will be
  int32_t ready_count;  // how many have sent READY=1
  int64_t padding[7];
};

static inline int64_t monotonic_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

#endif
