// How many columns of a terminal a text takes.
#pragma once

#include <cstddef>
#include <string_view>

#include "text/utf8.hpp"

namespace belfry::text {

// 2 for East Asian characters and emoji, 0 for combining marks; 1 for a byte that is not UTF-8.
[[nodiscard]] std::size_t columns_of(const Character& one);
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace belfry::text
