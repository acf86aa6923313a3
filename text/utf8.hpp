// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
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

// Whether `byte` stands inside a character, behind its first byte.
[[nodiscard]] constexpr bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// Where to cut a text of which more may come, so that no character is cut in two: a lead byte at the very end
// waits for the rest of it.
[[nodiscard]] std::size_t end_of_characters(std::string_view text);

// Appends `code`, which is a code point that UTF-8 has (no surrogate).
void append_character(std::string& out, char32_t code);

}  // namespace belfry::text
