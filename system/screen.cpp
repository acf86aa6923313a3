#include "system/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace belfry::system {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// As setlocale(3) would choose, without loading a locale.
bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    return value.contains("UTF-8") || value.contains("utf8") || value.contains("utf-8");
  }
  return false;
}

}  // namespace

text::Screen screen_at(int fd) {
  text::Screen screen;
  if (::isatty(fd) != 1) return screen;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0) {
    screen.width = size.ws_col;
    screen.height = size.ws_row;
  }
  const std::string_view kind = environment("TERM");
  screen.rewrites = !kind.empty() && kind != "dumb";
  screen.colour = screen.rewrites && environment("NO_COLOR").empty();
  screen.has_signs = kind != "linux" && speaks_utf8();  // the console's font has few of them
  return screen;
}

}  // namespace belfry::system
