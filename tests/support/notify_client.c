// Speaks sd_notify(3) by way of libsystemd, a step for each argument, as a service or from outside of one.
//
//   belfry_notify_client say READY=1 barrier wait
//
// What it did, it says on its standard output, a line a step. In texts \n is a line's end and \0 a NUL.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "  say TEXT          sd_notify\n"
    "  as PID TEXT       sd_pid_notify: root may claim to be any process\n"
    "  raw TEXT          the bytes as they are, with an end that is no end where \\0 stands\n"
    "  huge N            N bytes of STATUS\n"
    "  attach N TEXT     the text with N descriptors\n"
    "  barrier           sd_notify_barrier, 5 s\n"
    "  store NAME TEXT   FDSTORE=1, a memory file with that text\n"
    "  store-pipe NAME   FDSTORE=1, a pipe whose other end dies with this process\n"
    "  show              what sd_listen_fds_with_names and sd_watchdog_enabled say\n"
    "  flood MS TEXT     the text as fast as it goes, for so long; tells how often it was taken, and tried\n"
    "  feed MS N         WATCHDOG=1 every MS milliseconds, N times\n"
    "  sleep MS, wait    for so long; until a signal ends it\n"
    "  on-hup            RELOADING=1 with the time and READY=1 at every SIGHUP, until another signal\n"
    "  daemonise TEXT    a child in a session of its own goes on; its parent says MAINPID and the text, and "
    "ends\n"
    "  exit CODE\n";

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void sleep_ms(long ms) {
  const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  nanosleep(&t, NULL);
}

// In place; returns the length.
static size_t unescape(char* text) {
  char* to = text;
  for (const char* from = text; *from != '\0'; ++from) {
    if (from[0] == '\\' && (from[1] == 'n' || from[1] == '0')) {
      *to++ = from[1] == 'n' ? '\n' : '\0';
      ++from;
    } else if (from[0] == '\\' && from[1] == 'x') {  // any byte: \xff
      const char hex[3] = {from[2], from[3], '\0'};
      *to++ = (char)strtol(hex, NULL, 16);
      from += 3;
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
  return (size_t)(to - text);
}

static void told(const char* step, long result) {
  printf("%s %ld\n", step, result);
  fflush(stdout);
}

static int notify_socket(void) {
  const char* path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) >= sizeof address.sun_path) exit(64);
  strcpy(address.sun_path, path);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  if (connect(fd, (struct sockaddr*)&address, size) != 0) {
    told("cannot connect", errno);
    exit(1);
  }
  return fd;
}

static void raw(const char* bytes, size_t size) {
  const int fd = notify_socket();
  const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
  told("raw", sent < 0 ? -errno : sent);
  close(fd);
}

static void huge(long size) {
  char* bytes = malloc((size_t)size);
  memset(bytes, 'x', (size_t)size);
  memcpy(bytes, "STATUS=", 7);
  raw(bytes, (size_t)size);
  free(bytes);
}

static void attach(long count, const char* text) {
  int fds[256];
  for (long i = 0; i < count && i < 256; ++i) fds[i] = STDIN_FILENO;
  told("attach", sd_pid_notify_with_fds(0, 0, text, fds, (unsigned)count));
}

static void store(const char* name, const char* text) {
  char message[512];
  snprintf(message, sizeof message, "FDSTORE=1\nFDNAME=%s", name);
  const int fd = memfd_create(name, MFD_CLOEXEC);
  const ssize_t written = write(fd, text, strlen(text));
  told("store", written < 0 ? -errno : sd_pid_notify_with_fds(0, 0, message, &fd, 1));
  close(fd);
}

static void store_pipe(const char* name) {
  char message[512];
  snprintf(message, sizeof message, "FDSTORE=1\nFDNAME=%s", name);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) exit(71);
  told("store-pipe", sd_pid_notify_with_fds(0, 0, message, &ends[0], 1));
  close(ends[0]);  // the other end stays until this process ends
}

static void show(void) {
  char** names = NULL;
  const int count = sd_listen_fds_with_names(0, &names);
  uint64_t period = 0;
  const int watched = sd_watchdog_enabled(0, &period);
  printf("watchdog %d %llu\n", watched, (unsigned long long)period);
  for (int i = 0; i < count; ++i) {
    char text[256] = "";
    const ssize_t n = pread(SD_LISTEN_FDS_START + i, text, sizeof text - 1, 0);
    printf("stored %d %s '%.*s'\n", i, names[i], n > 0 ? (int)n : 0, text);
  }
  told("stored in all", count);
}

static void flood(long ms, const char* text, size_t size) {
  const int fd = notify_socket();
  const uint64_t end = now_us() + (uint64_t)ms * 1000;
  long sent = 0;
  long tried = 0;
  for (; now_us() < end; tried += 64) {
    for (int i = 0; i < 64; ++i) sent += send(fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
  }
  printf("flood %ld %ld\n", sent, tried);
  fflush(stdout);
  close(fd);
}

static void reload_at_every_hup(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  told("on-hup", sd_notify(0, "READY=1"));
  for (int number = 0; sigwait(&set, &number) == 0 && number == SIGHUP;) {
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now_us());
    sleep_ms(100);
    told("reloaded", 0);
    sd_notify(0, "READY=1");
  }
}

static void daemonise(const char* text) {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    printf("child %d\n", getpid());
    fflush(stdout);
    return;
  }
  sd_notifyf(0, "MAINPID=%d\n%s", child, text);
  _exit(0);
}

static char** step(char** at) {
  const char* what = *at++;
  if (strcmp(what, "barrier") == 0) {
    told(what, sd_notify_barrier(0, 5000000));
  } else if (strcmp(what, "show") == 0) {
    show();
  } else if (strcmp(what, "wait") == 0) {
    for (;;) pause();
  } else if (strcmp(what, "on-hup") == 0) {
    reload_at_every_hup();
  } else if (*at == NULL) {
    fputs(usage, stderr);
    exit(64);
  } else if (strcmp(what, "say") == 0) {
    unescape(*at);
    told(what, sd_notify(0, *at++));
  } else if (strcmp(what, "raw") == 0) {
    const size_t size = unescape(*at);
    raw(*at++, size);
  } else if (strcmp(what, "huge") == 0) {
    huge(atol(*at++));
  } else if (strcmp(what, "store-pipe") == 0) {
    store_pipe(*at++);
  } else if (strcmp(what, "sleep") == 0) {
    sleep_ms(atol(*at++));
  } else if (strcmp(what, "daemonise") == 0) {
    unescape(*at);
    daemonise(*at++);
  } else if (strcmp(what, "exit") == 0) {
    exit(atoi(*at));
  } else if (at[1] == NULL) {
    fputs(usage, stderr);
    exit(64);
  } else if (strcmp(what, "as") == 0) {
    unescape(at[1]);
    told(what, sd_pid_notify((pid_t)atol(at[0]), 0, at[1]));
    at += 2;
  } else if (strcmp(what, "attach") == 0) {
    unescape(at[1]);
    attach(atol(at[0]), at[1]);
    at += 2;
  } else if (strcmp(what, "store") == 0) {
    store(at[0], at[1]);
    at += 2;
  } else if (strcmp(what, "flood") == 0) {
    const size_t size = unescape(at[1]);
    flood(atol(at[0]), at[1], size);
    at += 2;
  } else if (strcmp(what, "feed") == 0) {
    for (long i = atol(at[1]); i > 0; --i) {
      sd_notify(0, "WATCHDOG=1");
      sleep_ms(atol(at[0]));
    }
    told(what, atol(at[1]));
    at += 2;
  } else {
    fputs(usage, stderr);
    exit(64);
  }
  return at;
}

int main(int argc, char** argv) {
  char** at = argv + 1;
  while (argc > 1 && *at != NULL) at = step(at);
  return 0;
}
