#include "cli/table.hpp"

#include <algorithm>
#include <iterator>

#include "text/utf8.hpp"

namespace belfry::cli {
namespace {

struct Range {
  char32_t first, last;
};

// Wide and fullwidth (Unicode's East_Asian_Width W and F), and what terminals draw as emoji: the blocks.
constexpr Range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
                          {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
                          {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                          {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr Range zero[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
                          {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

bool contains(const Range* begin, const Range* end, char32_t c) {
  return std::any_of(begin, end, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

std::size_t width_of(char32_t c) {
  if (contains(std::begin(zero), std::end(zero), c)) return 0;
  return contains(std::begin(wide), std::end(wide), c) ? 2 : 1;
}

// Takes one character off the front; a byte that is not UTF-8 counts as one.
char32_t next_character(std::string_view& text) {
  const text::Character one = text::first_character(text);
  text.remove_prefix(one.length);
  return one.code;
}

std::string_view sequence(Colour colour) {
  switch (colour) {
    case Colour::green: return "\033[32m";
    case Colour::yellow: return "\033[33m";
    case Colour::red: return "\033[31m";
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
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  return widths;
}

constexpr std::size_t gap = 2;
constexpr std::size_t least_last_column = 12;  // below that, wrapping is easier to read than nothing

void append_cell(std::string& out, const Cell& cell, std::size_t width, bool last, bool use_colour) {
  const std::size_t missing = width - std::min(width, display_width(cell.text));
  if (cell.right) out.append(missing, ' ');
  out += painted(cell.text, cell.colour, use_colour);
  if (!last) out.append((cell.right ? 0 : missing) + gap, ' ');
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += width_of(next_character(text));
  return width;
}

std::string cut(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string_view rest = text;
  std::size_t used = 0;
  while (!rest.empty()) {
    std::string_view after = rest;
    used += width_of(next_character(after));
    if (used + 1 > width) break;
    rest = after;
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
