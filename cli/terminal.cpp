#include "cli/terminal.hpp"

#include "system/screen.hpp"

namespace belfry::cli {

Terminal terminal_at(int fd) {
  const text::Screen screen = system::screen_at(fd);
  return {.width = screen.width, .colour = screen.colour};
}

}  // namespace belfry::cli
