// tick FILE INDEX [DELAY_MS [READY]]: the smallest service that can be measured.
//
// Writes when its main() began, says that it is ready (after DELAY_MS) and waits for SIGTERM. The tick that
// completes the set writes one byte to FILE.done, so that nobody has to look again and again. READY is how it
// says so: `notify` (the default) sends READY=1 to $NOTIFY_SOCKET, a number is the descriptor that gets a
// newline, and `none` is for managers that have no ear for it.
//
// All words may come in one argument: that is how the first line of a script passes them, so that a manager
// that runs scripts can start this program without a shell between.
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

static void say_ready(const char* how) {
  if (strcmp(how, "none") == 0) return;
  if (strcmp(how, "notify") == 0) {
    const char* notify = getenv("NOTIFY_SOCKET");
    if (notify == NULL) exit(64);
    send_ready(notify);
    return;
  }
  const int fd = atoi(how);
  if (fd < 3 || write(fd, "\n", 1) != 1) exit(71);
  close(fd);
}

enum { most_words = 5 };

// The arguments, taken apart where they came as the words of a script's first line.
static int words_of(int argc, char** argv, char** words) {
  int count = 0;
  if (argc > 1 && strchr(argv[1], ' ') != NULL) {
    words[count++] = argv[0];
    for (char* word = strtok(argv[1], " "); word != NULL && count < most_words; word = strtok(NULL, " "))
      words[count++] = word;
    return count;
  }
  for (; count < argc && count < most_words; ++count) words[count] = argv[count];
  return count;
}

int main(int given, char** arguments) {
  const int64_t began = monotonic_now();
  char* argv[most_words];
  const int argc = words_of(given, arguments, argv);
  if (argc < 3) return 64;
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

  const long delay_ms = argc > 3 ? atol(argv[3]) : 0;
  if (delay_ms > 0) {
    nanosleep(&(struct timespec){.tv_sec = delay_ms / 1000, .tv_nsec = delay_ms % 1000 * 1000000}, NULL);
  }
  record->ready = monotonic_now();
  say_ready(argc > 4 ? argv[4] : "notify");
  if (__atomic_add_fetch(&header->ready_count, 1, __ATOMIC_SEQ_CST) == header->total) tell_completed(argv[1]);

  sigwaitinfo(&term, NULL);
  record->asked = monotonic_now();
  record->gone = monotonic_now();
  _exit(0);
}
