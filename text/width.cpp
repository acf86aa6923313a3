#include "text/width.hpp"

#include <algorithm>
#include <span>

namespace belfry::text {
namespace {

struct Range {
  char32_t first, last;
};

// Wide and fullwidth (Unicode's East_Asian_Width W and F), and what terminals draw as emoji: the blocks.
constexpr Range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
                          {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
                          {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                          {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF},
                          {0x20000, 0x3FFFD}};
constexpr Range zero[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
                          {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

bool contains(std::span<const Range> ranges, char32_t code) {
  return std::ranges::any_of(
      ranges, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

}  // namespace

std::size_t columns_of(const Character& one) {
  if (!one.well_formed || one.code < 0x300) return 1;
  if (contains(zero, one.code)) return 0;
  return contains(wide, one.code) ? 2 : 1;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character one = first_character(text);
    width += columns_of(one);
    text.remove_prefix(one.length);
  }
  return width;
}

}  // namespace belfry::text
