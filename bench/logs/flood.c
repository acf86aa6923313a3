// Writes so many bytes of lines of a hundred to standard output as fast as they are taken, and to the file
// that $STAMP names when it has begun and when it has ended (CLOCK_REALTIME, ns).
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { line = 100, block = 655 * line };

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char** argv) {
  static char bytes[block];
  int64_t left = argc > 1 ? atoll(argv[1]) : 0;
  memset(bytes, 'x', sizeof bytes);
  for (size_t i = line - 1; i < sizeof bytes; i += line) bytes[i] = '\n';
  const int64_t begun = now();
  while (left > 0) {
    const ssize_t n = write(STDOUT_FILENO, bytes, left < block ? (size_t)left : block);
    if (n < 0) return 1;
    left -= n;
  }
  const char* stamp = getenv("STAMP");
  FILE* file = stamp ? fopen(stamp, "w") : NULL;
  if (!file) return 0;
  fprintf(file, "%lld %lld\n", (long long)begun, (long long)now());
  return fclose(file) == 0 ? 0 : 1;
}
