#include "text/escape.hpp"

#include <cstdint>
#include <cstring>

#include "text/utf8.hpp"

namespace belfry::text {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// Printable ASCII, which is nearly everything that ever comes by.
bool is_ascii(char c) { return c >= 0x20 && c < 0x7F; }

constexpr std::uint64_t in_each_byte(unsigned char byte) { return byte * 0x0101010101010101ULL; }
constexpr std::uint64_t highs = in_each_byte(0x80);

// Whether one of eight bytes is `byte` (Hacker's Delight, 6-1).
bool has(std::uint64_t eight, unsigned char byte) {
  const std::uint64_t other = eight ^ in_each_byte(byte);
  return ((other - in_each_byte(0x01)) & ~other & highs) != 0;
}

// Whether one of eight bytes is not printable ASCII. What is carried from one byte to the next comes of a
// byte that is none.
bool has_unprintable(std::uint64_t eight) {
  return ((((eight - in_each_byte(0x20)) & ~eight) | (eight + in_each_byte(0x01)) | eight) & highs) != 0;
}

// How many bytes stand in front of the first that is not plain: eight at a time, as `may_have_others` tells.
std::size_t prefix_of(std::string_view text, bool (*may_have_others)(std::uint64_t), bool (*is_plain)(char)) {
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= text.size(); at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if (may_have_others(eight)) break;
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

std::size_t ascii_prefix(std::string_view text) { return prefix_of(text, has_unprintable, is_ascii); }

// The same of what stands in a JSON string as it is.
std::size_t json_prefix(std::string_view text) {
  return prefix_of(
      text, [](std::uint64_t eight) { return has_unprintable(eight) || has(eight, '"') || has(eight, '\\'); },
      [](char c) { return is_ascii(c) && c != '"' && c != '\\'; });
}

// No control lies outside the basic plane.
void append_unicode_escape(std::string& out, char32_t code) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += digits[(code >> shift) & 0xFU];
}

void append_json_character(std::string& out, std::string_view text, const Character& one) {
  switch (one.code) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (!one.well_formed) {
    out += replacement;
  } else if (is_obeyed(one.code)) {
    append_unicode_escape(out, one.code);
  } else {
    out.append(text, 0, one.length);
  }
}

}  // namespace

bool is_obeyed(char32_t code) {
  if (code < 0x20) return code != '\t';
  if (code < 0x7F) return false;
  if (code < 0xA0) return true;  // DEL and C1
  const bool mark = code == 0x061C || code == 0x200E || code == 0x200F;
  // Line and paragraph separator, embeddings and overrides; then the isolates.
  return mark || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_visible(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = ascii_prefix(text);
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const Character one = first_character(text);
    const bool shown = one.well_formed && !is_obeyed(one.code);
    out += shown ? text.substr(0, one.length) : replacement;
    text.remove_prefix(one.length);
  }
}

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_visible(out, text);
  return out;
}

std::string visible_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (;;) {
    const std::size_t end = text.find('\n');
    append_visible(out, text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t plain = json_prefix(text);
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Character one = first_character(text);
    append_json_character(out, text, one);
    text.remove_prefix(one.length);
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

std::string visible_json(std::string_view document) {
  std::string out;
  out.reserve(document.size());
  while (!document.empty()) {
    const std::size_t plain = ascii_prefix(document);
    out.append(document, 0, plain);
    document.remove_prefix(plain);
    if (document.empty()) break;
    const Character one = first_character(document);
    if (!one.well_formed) {
      out += replacement;
    } else if (is_obeyed(one.code) && one.code != '\n') {
      append_unicode_escape(out, one.code);
    } else {
      out.append(document, 0, one.length);
    }
    document.remove_prefix(one.length);
  }
  return out;
}

}  // namespace belfry::text
