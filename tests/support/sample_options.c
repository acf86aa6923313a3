#include "sample_options.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "belfry_sample_service: a service with the habits one asks it to have\n"
    "  --name NAME --trace FILE         who it is; one line per event: NANOSECONDS NAME EVENT\n"
    "  --port N [--host A]              listen on TCP (0: any port, told in the trace)\n"
    "  --unix PATH                      listen on a unix socket\n"
    "  --bind-delay D                   listen after D (all D: 200ms, 1s, 50us, 2m)\n"
    "  --http [--unhealthy-after D]     answer GET / and /health\n"
    "  --notify [--status TEXT]         READY=1 to $NOTIFY_SOCKET\n"
    "  --ready-fd N, --ready-line TEXT  newline on descriptor N; a line on stdout\n"
    "  --ready-delay D                  those three D after listening\n"
    "  --tcp-connect HOST:PORT          must be reachable at once, else exit 3\n"
    "  --ignore SIGNAL                  SIGTERM, TERM or 15; repeatable\n"
    "  --exit-code N [--exit-after D]   how and when it leaves by itself\n"
    "  --on-stop-delay D, --stop-line TEXT   from SIGTERM to the exit; a line on stdout at SIGTERM\n"
    "  --fork N [--setsid] [--double-fork]\n"
    "  --log-lines N, --flood [BYTES], --print-env, --print-fds\n";

static _Noreturn void refuse(const char* what, const char* value) {
  fprintf(stderr, "cannot understand %s%s%s: see --help\n", what, value ? " " : "", value ? value : "");
  exit(64);
}

static int64_t parse_duration(const char* text) {
  static const struct {
    const char* unit;
    int64_t nanoseconds;
  } units[] = {{"us", 1000}, {"ms", 1000 * 1000}, {"s", 1000000000LL}, {"m", 60 * 1000000000LL}};
  char* end = NULL;
  const double amount = strtod(text, &end);
  for (size_t i = 0; i < sizeof units / sizeof *units; ++i) {
    if (end != text && amount >= 0 && strcmp(end, units[i].unit) == 0)
      return (int64_t)(amount * (double)units[i].nanoseconds);
  }
  refuse("the duration", text);
}

static long parse_number(const char* text) {
  char* end = NULL;
  const long number = strtol(text, &end, 10);
  if (end == text || *end != '\0') refuse("the number", text);
  return number;
}

static int parse_signal(const char* text) {
  if (strncmp(text, "SIG", 3) == 0) text += 3;
  for (int number = 1; number < 32; ++number) {
    const char* abbreviation = sigabbrev_np(number);
    if (abbreviation != NULL && strcmp(abbreviation, text) == 0) return number;
  }
  const long number = parse_number(text);
  if (number < 1 || number > 64) refuse("the signal", text);
  return (int)number;
}

static const struct sample_options defaults = {
    .name = "sample",
    .host = "127.0.0.1",
    .port = -1,
    .unhealthy_after = -1,
    .ready_fd = -1,
    .exit_after = -1,
    .flood_bytes = -1,
};

// The flags that stand alone. Returns false when `flag` is none of them.
static bool take_switch(struct sample_options* o, const char* flag) {
  const struct {
    const char* flag;
    bool* target;
  } switches[] = {{"--http", &o->http},
                  {"--notify", &o->notify},
                  {"--setsid", &o->children_setsid},
                  {"--double-fork", &o->children_orphaned},
                  {"--print-env", &o->print_env},
                  {"--print-fds", &o->print_fds}};
  for (size_t i = 0; i < sizeof switches / sizeof *switches; ++i) {
    if (strcmp(flag, switches[i].flag) == 0) return *switches[i].target = true;
  }
  return false;
}

static bool take_text(struct sample_options* o, const char* flag, const char* value) {
  const struct {
    const char* flag;
    const char** target;
  } texts[] = {{"--name", &o->name},      {"--trace", &o->trace},           {"--host", &o->host},
               {"--unix", &o->unix_path}, {"--ready-line", &o->ready_line}, {"--stop-line", &o->stop_line},
               {"--status", &o->status},  {"--tcp-connect", &o->connect}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    if (strcmp(flag, texts[i].flag) == 0) return *texts[i].target = value;
  }
  return false;
}

static bool take_duration(struct sample_options* o, const char* flag, const char* value) {
  const struct {
    const char* flag;
    int64_t* target;
  } durations[] = {{"--bind-delay", &o->bind_delay},
                   {"--ready-delay", &o->ready_delay},
                   {"--unhealthy-after", &o->unhealthy_after},
                   {"--exit-after", &o->exit_after},
                   {"--on-stop-delay", &o->stop_delay}};
  for (size_t i = 0; i < sizeof durations / sizeof *durations; ++i) {
    if (strcmp(flag, durations[i].flag) == 0) return *durations[i].target = parse_duration(value), true;
  }
  return false;
}

static bool take_number(struct sample_options* o, const char* flag, const char* value) {
  const struct {
    const char* flag;
    int* target;
  } numbers[] = {{"--port", &o->port},
                 {"--ready-fd", &o->ready_fd},
                 {"--exit-code", &o->exit_code},
                 {"--fork", &o->children}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i) {
    if (strcmp(flag, numbers[i].flag) == 0) return *numbers[i].target = (int)parse_number(value), true;
  }
  if (strcmp(flag, "--log-lines") == 0) return o->log_lines = parse_number(value), true;
  if (strcmp(flag, "--ignore") == 0) return o->ignored[parse_signal(value)] = true;
  return false;
}

struct sample_options parse_sample_options(int argc, char** argv) {
  struct sample_options o = defaults;
  for (int i = 1; i < argc; ++i) {
    const char* flag = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strcmp(flag, "--help") == 0) {
      fputs(usage, stdout);
      exit(0);
    }
    if (take_switch(&o, flag)) continue;
    if (strcmp(flag, "--flood") == 0) {  // the only flag whose value may be missing
      const bool given = value != NULL && value[0] != '-';
      o.flood_bytes = given ? parse_number(value) : 0;
      i += given;
      continue;
    }
    if (value == NULL) refuse("the flag", flag);
    if (!take_text(&o, flag, value) && !take_duration(&o, flag, value) && !take_number(&o, flag, value))
      refuse("the flag", flag);
    ++i;
  }
  return o;
}
