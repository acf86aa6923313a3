#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace belfry::cli {

Terminal terminal_at(int fd) {
  if (::isatty(fd) != 1) return {};
  winsize size{};
  Terminal terminal;
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0) terminal.width = size.ws_col;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  const bool refused = no_colour != nullptr && *no_colour != '\0';
  terminal.colour = !refused && kind != nullptr && std::string_view(kind) != "dumb";
  return terminal;
}

}  // namespace belfry::cli
