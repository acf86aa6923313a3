#include "text/paint.hpp"

#include "text/utf8.hpp"
#include "text/width.hpp"

namespace belfry::text {
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

}  // namespace

std::string painted(std::string_view text, Colour colour, bool use_colour) {
  if (!use_colour || colour == Colour::none) return std::string(text);
  return std::string(sequence(colour)) + std::string(text) + "\033[0m";
}

std::string cut(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string_view rest = text;
  std::size_t used = 0;
  while (!rest.empty()) {
    const Character one = first_character(rest);
    used += columns_of(one);
    if (used + 1 > width) break;
    rest.remove_prefix(one.length);
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

}  // namespace belfry::text
