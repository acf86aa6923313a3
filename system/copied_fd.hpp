// A second descriptor of the same open file.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "system/owned_fd.hpp"

namespace belfry::system {

// Close-on-exec, and none of the standard three. Empty, with errno, when there is no room for it.
[[nodiscard]] inline OwnedFd copy_of(int fd) {
  return OwnedFd(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

}  // namespace belfry::system
