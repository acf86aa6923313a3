// What a terminal can show, as this process was told.
#pragma once

#include "text/live.hpp"

namespace belfry::system {

// Nothing of it, where `fd` is no terminal.
[[nodiscard]] text::Screen screen_at(int fd);

}  // namespace belfry::system
