#include "text/markup.hpp"

#include <algorithm>

#include "text/escape.hpp"

namespace belfry::text {

void append_markup(std::string& out, std::string_view text) {
  while (!text.empty()) {
    // What stands before one of these ends between two characters: they are ASCII.
    const std::size_t plain = std::min(text.find_first_of("&<>\"'"), text.size());
    append_visible(out, text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    switch (text.front()) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += "&#39;"; break;
    }
    text.remove_prefix(1);
  }
}

std::string markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_markup(out, text);
  return out;
}

}  // namespace belfry::text
