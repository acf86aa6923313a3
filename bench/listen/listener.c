// A service that listens after a while and writes down when it did: listener FILE SLOT PORT MILLISECONDS
// [notify]. With the last word it says READY=1 right afterwards.
//
// The record is two times of CLOCK_MONOTONIC in nanoseconds, before and after listen(2), at SLOT in the
// shared file. Nothing else happens between the wait and the call, so that what is measured is who hears of
// it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static _Noreturn void die(const char* what) {
  perror(what);
  exit(71);
}

int main(int argc, char** argv) {
  if (argc < 5) return 64;
  const int file = open(argv[1], O_RDWR | O_CLOEXEC);
  const long slot = atol(argv[2]), delay = atol(argv[4]);
  int64_t* record = mmap(NULL, 4096 * 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file < 0 || record == MAP_FAILED) die("cannot map the record");
  record[2 * slot] = record[2 * slot + 1] = 0;  // its page is there before the clock is looked at

  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0) die("cannot bind");
  struct sockaddr_un manager = {.sun_family = AF_UNIX};
  const int notify = argc > 5 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
  if (notify >= 0) strncpy(manager.sun_path, getenv("NOTIFY_SOCKET"), sizeof manager.sun_path - 1);
  const struct timespec wait = {.tv_sec = delay / 1000, .tv_nsec = delay % 1000 * 1000000};
  nanosleep(&wait, NULL);

  const int64_t before = now();
  if (listen(fd, 16) != 0) die("cannot listen");
  const int64_t after = now();
  if (notify >= 0) sendto(notify, "READY=1", 7, 0, (struct sockaddr*)&manager, sizeof manager);
  record[2 * slot] = before;
  record[2 * slot + 1] = after;
  for (;;) pause();
}
