// Columns that stand below each other, in any script and with or without colour.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::cli {

enum class Colour : std::uint8_t { none, green, yellow, red, cyan, magenta, blue, dim, bold };

struct Cell {
  std::string text;
  Colour colour = Colour::none;
  bool right = false;  // aligned to the right: numbers
};

// Cut to `width` columns, with an ellipsis when something is missing.
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);
[[nodiscard]] std::string painted(std::string_view text, Colour colour, bool use_colour);

// Rows of the same number of cells; the first is the heading. The last column is cut so that a row fits into
// `width` columns (0: as long as it is). Two spaces between columns, none at the end of a line.
[[nodiscard]] std::string render_table(const std::vector<std::vector<Cell>>& rows, std::size_t width,
                                       bool use_colour);

}  // namespace belfry::cli
