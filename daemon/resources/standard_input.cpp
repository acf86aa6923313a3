#include "daemon/resources/standard_input.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "system/open_file.hpp"

namespace belfry::daemon {

Result<void> StandardInput::apply(const std::string& what, system::Launch& launch) {
  if (what.empty()) return {};  // the launch's own default: /dev/null
  if (what == "inherit") {
    launch.standard_input = STDIN_FILENO;
    return {};
  }
  passed();
  auto opened = system::open_to_read(what);
  if (!opened) {
    const int error = opened.error();
    if (error == EMFILE || error == ENFILE)
      return std::unexpected(Error::from_errno(error, "cannot open " + what));
    return std::unexpected(Error::failed("cannot open " + what + " as its standard input: " +
                                         std::strerror(error) + " (make it, or correct `stdin`)"));
  }
  fd_ = std::move(*opened);
  launch.standard_input = fd_.get();
  return {};
}

}  // namespace belfry::daemon
