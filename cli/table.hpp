// Columns that stand below each other, in any script and with or without colour.
#pragma once

#include <string>
#include <vector>

#include "text/paint.hpp"

namespace belfry::cli {

using text::Colour;
using text::cut;
using text::painted;

struct Cell {
  std::string text;
  Colour colour = Colour::none;
  bool right = false;  // aligned to the right: numbers
};

// Rows of the same number of cells; the first is the heading. The last column is cut so that a row fits into
// `width` columns (0: as long as it is). Two spaces between columns, none at the end of a line.
[[nodiscard]] std::string render_table(const std::vector<std::vector<Cell>>& rows, std::size_t width,
                                       bool use_colour);

}  // namespace belfry::cli
