#include "cli/table.hpp"

#include <algorithm>

#include "text/width.hpp"

namespace belfry::cli {
namespace {

std::string_view sequence(Colour colour) {
  switch (colour) {
    case Colour::green: return "\033[32m";
    case Colour::yellow: return "\033[33m";
    case Colour::red: return "\033[31m";
    case Colour::cyan: return "\033[36m";
    case Colour::magenta: return "\033[35m";
    case Colour::blue: return "\033[34m";
    case Colour::dim: return "\033[2m";
    case Colour::bold: return "\033[1m";
    case Colour::none: break;
  }
  return {};
}

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

std::string cut(std::string_view text, std::size_t width) {
  if (text::display_width(text) <= width) return std::string(text);
  std::string_view rest = text;
  std::size_t used = 0;
  while (!rest.empty()) {
    const text::Character one = text::first_character(rest);
    used += text::columns_of(one);
    if (used + 1 > width) break;
    rest.remove_prefix(one.length);
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

std::string painted(std::string_view text, Colour colour, bool use_colour) {
  if (!use_colour || colour == Colour::none) return std::string(text);
  return std::string(sequence(colour)) + std::string(text) + "\033[0m";
}

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
