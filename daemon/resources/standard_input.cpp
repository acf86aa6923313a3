#include "daemon/resources/standard_input.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

namespace belfry::daemon {

Result<void> StandardInput::apply(const std::string& what, system::Launch& launch) {
  if (what.empty()) return {};  // the launch's own default: /dev/null
  if (what == "inherit") {
    launch.standard_input = STDIN_FILENO;
    return {};
  }
  passed();
  fd_ = ::open(what.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd_ < 0) {
    if (errno == EMFILE || errno == ENFILE)
      return std::unexpected(Error::from_errno(errno, "cannot open " + what));
    return std::unexpected(Error(Error::Kind::failed, "cannot open " + what +
                                                          " as its standard input: " + std::strerror(errno) +
                                                          " (make it, or correct `stdin`)"));
  }
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
  launch.standard_input = fd_;
  return {};
}

void StandardInput::passed() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace belfry::daemon
