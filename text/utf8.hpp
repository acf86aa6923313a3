// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace belfry::text {

// One code point of a text, or one byte that is part of none.
struct Character {
  char32_t code = 0;       // the byte itself when it is not well-formed
  std::size_t length = 1;  // bytes; 1 when it is not well-formed
  bool well_formed = false;
};

// The first character of `text`, which is not empty.
[[nodiscard]] Character first_character(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace belfry::text
