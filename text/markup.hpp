// What comes from outside, made fit for HTML and SVG: as text between tags, and as a quoted value of an
// attribute.
#pragma once

#include <string>
#include <string_view>

namespace belfry::text {

// What a terminal would obey is replaced as in append_visible(), since pages are copied from; what markup is
// made of becomes a character reference (HTML Living Standard, section 13.1.4).
void append_markup(std::string& out, std::string_view text);
[[nodiscard]] std::string markup(std::string_view text);

}  // namespace belfry::text
