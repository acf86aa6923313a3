#include "cli/table.hpp"

#include <algorithm>

#include "text/width.hpp"

namespace belfry::cli {
namespace {

std::vector<std::size_t> column_widths(const std::vector<std::vector<Cell>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], text::display_width(row[i].text));
  }
  return widths;
}

constexpr std::size_t gap = 2;
constexpr std::size_t least_last_column = 12;  // below that, wrapping is easier to read than nothing

void append_cell(std::string& out, const Cell& cell, std::size_t width, bool last, bool use_colour) {
  const std::size_t missing = width - std::min(width, text::display_width(cell.text));
  if (cell.right) out.append(missing, ' ');
  out += painted(cell.text, cell.colour, use_colour);
  if (!last) out.append((cell.right ? 0 : missing) + gap, ' ');
}

}  // namespace

std::string render_table(const std::vector<std::vector<Cell>>& rows, std::size_t width, bool use_colour) {
  const std::vector<std::size_t> widths = column_widths(rows);
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + gap;
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      Cell cell = row[i];
      if (last && width >= before_last + least_last_column) cell.text = cut(cell.text, width - before_last);
      append_cell(out, cell, widths[i], last, use_colour);
    }
    out += '\n';
  }
  return out;
}

}  // namespace belfry::cli
