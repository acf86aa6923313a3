// Colours, and texts that are cut to columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::text {

enum class Colour : std::uint8_t { none, green, yellow, red, cyan, magenta, blue, dim, bold };

[[nodiscard]] std::string painted(std::string_view text, Colour colour, bool use_colour);
// Cut to `width` columns, with an ellipsis when something is missing.
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);

}  // namespace belfry::text
