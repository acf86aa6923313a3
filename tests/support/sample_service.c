// The service that belfry's tests, example stack and benches run: it does what its flags say
// (--help) and writes down when it did it.
//
// One thread and one poll(2). Nothing here is clever, because it is the thing that is trusted.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sample_options.h"

extern char** environ;

enum { max_clients = 64, request_size = 2048 };
static const int64_t never = INT64_MAX;

struct client {
  int fd;
  size_t used;
  char request[request_size];
};

static struct sample_options options;
static int trace_fd = -1;
static int64_t started_at;
static struct client clients[max_clients];
static size_t client_count;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static _Noreturn void die(const char* what) {
  fprintf(stderr, "cannot %s: %s\n", what, strerror(errno));
  exit(71);
}

static void write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // a reader that left is not this program's concern
    data += n;
    size -= (size_t)n;
  }
}

// One write(2) per event, so that lines of several services in one file never mix.
static void trace(const char* event, const char* detail) {
  if (trace_fd < 0) return;
  char line[512];
  const int n = snprintf(line, sizeof line, "%lld %s %s%s%s\n", (long long)now(), options.name, event,
                         detail[0] ? " " : "", detail);
  if (n > 0) write_all(trace_fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static _Noreturn void leave(int code) {
  char detail[16];
  snprintf(detail, sizeof detail, "%d", code);
  trace("exit", detail);
  fflush(stdout);
  _exit(code);
}

static struct sockaddr_in tcp_address(const char* host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
    fprintf(stderr, "cannot use %s: not a numeric IPv4 address\n", host);
    exit(64);
  }
  return address;
}

// The "first query" of an application: exactly one attempt.
static void require_connection(const char* target) {
  char host[64];
  const char* colon = strrchr(target, ':');
  if (colon == NULL || (size_t)(colon - target) >= sizeof host) {
    fprintf(stderr, "cannot use %s: HOST:PORT is wanted\n", target);
    exit(64);
  }
  memcpy(host, target, (size_t)(colon - target));
  host[colon - target] = '\0';
  const struct sockaddr_in address = tcp_address(host, atoi(colon + 1));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (const struct sockaddr*)&address, sizeof address) != 0) {
    fprintf(stderr, "cannot connect to %s: %s\n", target, strerror(errno));
    trace("refused", target);
    leave(3);
  }
  close(fd);
  trace("connected", target);
}

static int listen_tcp(void) {
  struct sockaddr_in address = tcp_address(options.host, options.port);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 128) != 0)
    die("listen on the port");
  socklen_t size = sizeof address;
  getsockname(fd, (struct sockaddr*)&address, &size);
  char detail[16];
  snprintf(detail, sizeof detail, "%d", ntohs(address.sin_port));
  trace("listening", detail);
  return fd;
}

static int listen_unix(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", options.unix_path);
  unlink(options.unix_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 128) != 0)
    die("listen on the path");
  trace("listening", options.unix_path);
  return fd;
}

static void send_notification(const char* message) {
  const char* path = getenv("NOTIFY_SOCKET");
  if (path == NULL) return trace("no-notify-socket", "");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return trace("notify-failed", "path too long");
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  if (sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr*)&address, size) < 0)
    trace("notify-failed", strerror(errno));
  close(fd);
}

static void become_ready(void) {
  trace("ready", "");  // before the signal, so that it never stands after its own consequences
  if (options.notify) {
    char message[512];
    if (options.status) snprintf(message, sizeof message, "STATUS=%s\nREADY=1", options.status);
    send_notification(options.status ? message : "READY=1");
  }
  if (options.ready_fd >= 0) {
    write_all(options.ready_fd, "\n", 1);
    close(options.ready_fd);
  }
  if (options.ready_line) dprintf(STDOUT_FILENO, "%s\n", options.ready_line);
}

static void print_environment(void) {
  for (char** entry = environ; *entry; ++entry) dprintf(STDOUT_FILENO, "env %s\n", *entry);
}

static void print_descriptors(void) {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == NULL) return;
  for (struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
    char path[300], target[300];
    snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
    const ssize_t n = readlink(path, target, sizeof target - 1);
    if (n > 0) dprintf(STDOUT_FILENO, "fd %s %.*s\n", entry->d_name, (int)n, target);
  }
  closedir(directory);
}

// A child that outlives everything but a signal that it does not ignore.
static _Noreturn void be_a_child(void) {
  if (options.children_setsid) setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  char detail[16];
  snprintf(detail, sizeof detail, "%d", getpid());
  trace("child", detail);
  for (;;) pause();
}

static void fork_children(void) {
  for (int i = 0; i < options.children; ++i) {
    const pid_t child = fork();
    if (child < 0) die("fork");
    if (child > 0) {
      if (options.children_orphaned) waitpid(child, NULL, 0);
      continue;
    }
    if (options.children_orphaned && fork() != 0) _exit(0);
    be_a_child();
  }
}

static void print_log_lines(void) {
  for (long i = 1; i <= options.log_lines; ++i) printf("line %ld of %ld\n", i, options.log_lines);
  fflush(stdout);
}

// Writes one block; returns how many bytes are still to come (0 stays 0: without end).
static int64_t flood(int64_t left) {
  char block[4096];
  memset(block, 'x', sizeof block);
  for (size_t i = 79; i < sizeof block; i += 80) block[i] = '\n';
  const size_t size = left > 0 && left < (int64_t)sizeof block ? (size_t)left : sizeof block;
  write_all(STDOUT_FILENO, block, size);
  if (left == 0) return 0;
  return left > (int64_t)size ? left - (int64_t)size : -1;
}

static void respond(struct client* client) {
  const bool unhealthy = options.unhealthy_after >= 0 && now() - started_at >= options.unhealthy_after;
  const bool get = strncmp(client->request, "GET ", 4) == 0;
  const bool health = get && strncmp(client->request + 4, "/health ", 8) == 0;
  const bool root = get && strncmp(client->request + 4, "/ ", 2) == 0;
  const char* status = health && unhealthy ? "503 Service Unavailable"
                       : health || root    ? "200 OK"
                                           : "404 Not Found";
  char body[128], answer[512];
  const int length = snprintf(body, sizeof body, "%s: %s\n", options.name, status);
  const int n =
      snprintf(answer, sizeof answer,
               "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
               status, length, body);
  write_all(client->fd, answer, (size_t)n);
}

static void drop_client(size_t index) {
  close(clients[index].fd);
  clients[index] = clients[--client_count];
}

static void serve_client(size_t index) {
  struct client* client = &clients[index];
  const ssize_t n = read(client->fd, client->request + client->used, request_size - 1 - client->used);
  if (n > 0) {
    client->used += (size_t)n;
    client->request[client->used] = '\0';
    if (options.http && strstr(client->request, "\r\n\r\n") == NULL && client->used < request_size - 1)
      return;
    if (options.http) respond(client);
  }
  drop_client(index);
}

static void accept_client(int listener) {
  const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (client_count == max_clients) drop_client(0);
  clients[client_count] = (struct client){.fd = fd};
  ++client_count;
}

static int block_signals(void) {
  for (int number = 1; number <= 64; ++number) {
    if (options.ignored[number]) signal(number, SIG_IGN);
  }
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGQUIT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

static void take_signal(int signal_fd, int64_t* leave_at) {
  struct signalfd_siginfo info;
  if (read(signal_fd, &info, sizeof info) != sizeof info) return;
  if (options.ignored[info.ssi_signo]) return;  // a blocked signal reaches signalfd although ignored
  trace("term", sigabbrev_np((int)info.ssi_signo));
  if (options.stop_line) dprintf(STDOUT_FILENO, "%s\n", options.stop_line);
  *leave_at = now() + options.stop_delay;
}

static int64_t earliest(int64_t a, int64_t b) { return a < b ? a : b; }

int main(int argc, char** argv) {
  started_at = now();
  options = parse_sample_options(argc, argv);
  if (options.print_env) print_environment();
  if (options.print_fds) print_descriptors();  // before this program opens any of its own
  if (options.trace) {
    // Read and write, so that opening a FIFO never waits for its reader.
    trace_fd = open(options.trace, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (trace_fd < 0) die("open the trace");
  }
  trace("main", "");
  const int signal_fd = block_signals();
  if (options.connect) require_connection(options.connect);
  fork_children();
  print_log_lines();

  const bool listens = options.port >= 0 || options.unix_path != NULL;
  const bool announces = options.notify || options.ready_fd >= 0 || options.ready_line != NULL || listens;
  int listeners[2] = {-1, -1};
  int64_t bind_at = listens ? started_at + options.bind_delay : never;
  int64_t ready_at = listens ? never : announces ? started_at + options.ready_delay : never;
  int64_t flood_left = -1;
  int64_t leave_at = options.exit_after >= 0 ? started_at + options.exit_after : never;

  for (;;) {
    const int64_t t = now();
    if (t >= leave_at) leave(options.exit_code);
    if (t >= bind_at) {
      bind_at = never;
      if (options.port >= 0) listeners[0] = listen_tcp();
      if (options.unix_path) listeners[1] = listen_unix();
      ready_at = now() + options.ready_delay;
      continue;
    }
    if (t >= ready_at) {
      ready_at = never;
      become_ready();
      flood_left = options.flood_bytes;
      continue;
    }
    struct pollfd fds[3 + max_clients] = {{.fd = signal_fd, .events = POLLIN},
                                          {.fd = listeners[0], .events = POLLIN},
                                          {.fd = listeners[1], .events = POLLIN}};
    const size_t served = client_count;
    for (size_t i = 0; i < served; ++i) fds[3 + i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
    if (flood_left >= 0) flood_left = flood(flood_left);
    const int64_t wake_at = flood_left >= 0 ? t : earliest(earliest(bind_at, ready_at), leave_at);
    const struct timespec wait = {.tv_sec = (wake_at - t) / 1000000000LL,
                                  .tv_nsec = (wake_at - t) % 1000000000LL};
    if (ppoll(fds, 3 + served, wake_at == never ? NULL : &wait, NULL) < 0) continue;
    if (fds[0].revents) take_signal(signal_fd, &leave_at);
    for (size_t i = served; i-- > 0;) {
      if (fds[3 + i].revents) serve_client(i);
    }
    for (int i = 0; i < 2; ++i) {
      if (listeners[i] >= 0 && fds[1 + i].revents) accept_client(listeners[i]);
    }
  }
}
