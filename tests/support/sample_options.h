// What the sample service was asked to be: one field per flag of sample_options.c.
#ifndef BELFRY_TESTS_SUPPORT_SAMPLE_OPTIONS_H
#define BELFRY_TESTS_SUPPORT_SAMPLE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

// Times are nanoseconds; -1 means "was not given".
struct sample_options {
  const char* name;         // in the trace; default: the program's name
  const char* trace;        // file or FIFO that gets one line per event
  const char* host;         // where to listen, a numeric IPv4 address
  int port;                 // -1: none; 0: the kernel picks one
  const char* unix_path;    // listen on this path
  int64_t bind_delay;       // from main() to listen()
  bool http;                // answer GET / and /health
  int64_t unhealthy_after;  // from then on /health says 503
  bool notify;              // READY=1 to $NOTIFY_SOCKET
  int ready_fd;             // newline on this descriptor
  const char* ready_line;   // a line on stdout
  int64_t ready_delay;      // from listen() to any of the three above
  const char* status;       // STATUS=, sent before READY=1
  const char* connect;      // host:port to be reachable before anything else, as a first query is
  bool ignored[65];         // by signal number
  int exit_code;            // of every orderly exit
  int64_t exit_after;
  int64_t stop_delay;      // from SIGTERM to the exit
  const char* stop_line;   // a line on stdout at SIGTERM
  int children;            // processes that wait for ever
  bool children_setsid;    // …in a session of their own
  bool children_orphaned;  // …whose parent has exited
  long log_lines;          // numbered lines on stdout before readiness
  int64_t flood_bytes;     // written to stdout without end when 0, that many when more; -1: none
  bool print_env, print_fds;
};

// Parses the command line. On a mistake prints one line and exits with 64.
struct sample_options parse_sample_options(int argc, char** argv);

#endif
