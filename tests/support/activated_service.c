// A service that is activated by sockets, as libsystemd reads them: prints what it was passed, then serves.
//
// Every stream client gets one line, "PID\n", and is closed; a datagram is sent back. `--passive` accepts
// nobody; `--nonblocking` sets O_NONBLOCK on what it was passed; `--exit` leaves after printing. Runs under
// belfry and under systemd-socket-activate(1) alike.
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { most_sockets = 1024 };

static const char* family_of(int fd) {
  int family = 0;
  socklen_t size = sizeof family;
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
  return family == AF_INET ? "inet" : family == AF_INET6 ? "inet6" : family == AF_UNIX ? "unix" : "?";
}

static bool is_stream(int fd) { return sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, -1) > 0; }

static void describe(int fd, const char* name) {
  printf("fd %d %s %s %s%s%s%s\n", fd, name, family_of(fd), is_stream(fd) ? "stream" : "dgram",
         sd_is_socket(fd, AF_UNSPEC, 0, 1) > 0 ? " listening" : "",
         fcntl(fd, F_GETFL) & O_NONBLOCK ? " nonblocking" : "",
         fcntl(fd, F_GETFD) & FD_CLOEXEC ? " cloexec" : "");
}

static void serve(int fd) {
  char text[2048];
  if (!is_stream(fd)) {
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    const ssize_t n = recvfrom(fd, text, sizeof text, MSG_DONTWAIT, (struct sockaddr*)&from, &size);
    if (n >= 0) sendto(fd, text, (size_t)n, MSG_DONTWAIT, (struct sockaddr*)&from, size);
    return;
  }
  const int client = accept(fd, NULL, NULL);
  if (client < 0) return;
  const int n = snprintf(text, sizeof text, "%d\n", getpid());
  send(client, text, (size_t)n, MSG_NOSIGNAL);
  close(client);
}

int main(int argc, char** argv) {
  bool passive = false, nonblocking = false, leaves = false;
  for (int i = 1; i < argc; ++i) {
    passive |= strcmp(argv[i], "--passive") == 0;
    nonblocking |= strcmp(argv[i], "--nonblocking") == 0;
    leaves |= strcmp(argv[i], "--exit") == 0;
  }
  char** names = NULL;
  const int count = sd_listen_fds_with_names(0, &names);
  if (count < 0 || count > most_sockets) {
    fprintf(stderr, "cannot take the sockets passed on: %s\n", strerror(count < 0 ? -count : 7));
    return 71;
  }
  printf("fds %d\n", count);
  struct pollfd polled[most_sockets];
  for (int i = 0; i < count; ++i) {
    const int fd = SD_LISTEN_FDS_START + i;
    // libsystemd has set close-on-exec on them; what it found is read by --print-fds of the sample service.
    describe(fd, names[i]);
    if (nonblocking) fcntl(fd, F_SETFL, O_NONBLOCK);
    polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
  }
  printf("all told\n");
  fflush(stdout);
  if (leaves) return 0;
  for (;;) {
    if (passive) pause();
    if (poll(polled, (nfds_t)count, -1) < 0) continue;
    for (int i = 0; i < count; ++i) {
      if (polled[i].revents & POLLIN) serve(polled[i].fd);
    }
  }
}
