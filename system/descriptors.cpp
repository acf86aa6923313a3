#include "system/descriptors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "system/owned_fd.hpp"

namespace belfry::system {

namespace {

std::optional<rlimit> entry_limit;

}  // namespace

void ensure_standard_descriptors() {
  // open takes the lowest free number; the one that lands above 2 is too many
  for (;;) {
    int opened = open_null();
    if (opened < 0) return;
    if (opened > 2) {
      ::close(opened);
      return;
    }
    ::fcntl(opened, F_SETFD, 0);
  }
}

int open_null() {
  const int device = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (device >= 0 || (errno != ENOENT && errno != ENOTDIR)) return device;
  const int empty = ::memfd_create("null", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (empty >= 0) ::fcntl(empty, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SEAL);
  return empty;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (entry_limit || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) entry_limit = limit;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

void make_room_for_descriptors(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 2) return;
  const auto highest = static_cast<int>(std::min<rlim_t>({count, limit.rlim_cur - 1, rlim_t{1} << 20}));
  const OwnedFd there(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, highest));  // the table does not shrink
}

int why_not_open(std::size_t count) {
  std::vector<OwnedFd> opened;
  int error = 0;
  while (opened.size() < count && error == 0) {
    OwnedFd fd(open_null());
    if (fd)
      opened.push_back(std::move(fd));
    else
      error = errno;
  }
  return error == EMFILE || error == ENFILE ? error : 0;
}

std::optional<rlimit> entry_descriptor_limit() { return entry_limit; }

}  // namespace belfry::system
