// tick FILE INDEX [DELAY_MS]: the smallest service that can be measured.
//
// Writes when its main() began, sends READY=1 (after DELAY_MS) to $NOTIFY_SOCKET and waits for SIGTERM. The
// tick that completes the set writes one byte to FILE.done, so that nobody has to look again and again.
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "record.h"

static void send_ready(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(path);
  if (length >= sizeof address.sun_path) exit(64);
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  if (sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr*)&address, size) != 7) exit(71);
  close(fd);
}

static void tell_completed(const char* file) {
  char path[512];
  snprintf(path, sizeof path, "%s.done", file);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "!", 1) != 1) exit(71);
  close(fd);
}

int main(int argc, char** argv) {
  const int64_t began = monotonic_now();
  const char* notify = getenv("NOTIFY_SOCKET");
  if (argc < 3 || notify == NULL) return 64;
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, NULL);

  const int fd = open(argv[1], O_RDWR | O_CLOEXEC);
  const size_t index = (size_t)atol(argv[2]);
  if (fd < 0) return 66;
  const size_t size = sizeof(struct record_header) + (index + 1) * sizeof(struct tick_record);
  struct record_header* header = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (header == MAP_FAILED) return 71;
  close(fd);
  struct tick_record* record = (struct tick_record*)(header + 1) + index;
  record->main = began;

  if (argc > 3) {
    const long delay_ms = atol(argv[3]);
    nanosleep(&(struct timespec){.tv_sec = delay_ms / 1000, .tv_nsec = delay_ms % 1000 * 1000000}, NULL);
  }
  record->ready = monotonic_now();
  send_ready(notify);
  if (__atomic_add_fetch(&header->ready_count, 1, __ATOMIC_SEQ_CST) == header->total) tell_completed(argv[1]);

  sigwaitinfo(&term, NULL);
  record->asked = monotonic_now();
  record->gone = monotonic_now();
  _exit(0);
}
