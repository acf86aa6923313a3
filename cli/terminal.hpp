// What standard output is: how wide, and whether colour is welcome.
#pragma once

#include <cstddef>

namespace belfry::cli {

struct Terminal {
  std::size_t width = 0;  // 0: not a terminal, lines may be as long as they are
  bool colour = false;    // a terminal, and neither NO_COLOR nor TERM=dumb says otherwise
};

// Looks at a descriptor of this process.
[[nodiscard]] Terminal terminal_at(int fd);

}  // namespace belfry::cli
