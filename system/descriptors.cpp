#include "system/descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace belfry::system {

namespace {

std::optional<rlimit> entry_limit;

}  // namespace

void ensure_standard_descriptors() {
  // open takes the lowest free number; the one that lands above 2 is too many
  for (;;) {
    int opened = ::open("/dev/null", O_RDWR);
    if (opened < 0) return;
    if (opened > 2) {
      ::close(opened);
      return;
    }
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (entry_limit || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) entry_limit = limit;
}

void make_room_for_descriptors(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 2) return;
  const auto highest = static_cast<int>(std::min<rlim_t>({count, limit.rlim_cur - 1, rlim_t{1} << 20}));
  const int there = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, highest);
  if (there >= 0) ::close(there);  // the table does not shrink
}

int why_not_open(std::size_t count) {
  std::vector<int> opened;
  int error = 0;
  while (opened.size() < count && error == 0) {
    const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0)
      error = errno;
    else
      opened.push_back(fd);
  }
  for (const int fd : opened) ::close(fd);
  return error == EMFILE || error == ENFILE ? error : 0;
}

std::optional<rlimit> entry_descriptor_limit() { return entry_limit; }

}  // namespace belfry::system
