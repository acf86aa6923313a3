#include "text/escape.hpp"

#include <algorithm>

#include "text/utf8.hpp"

namespace belfry::text {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// Printable ASCII, which is nearly everything that ever comes by.
bool is_ascii(char c) { return c >= 0x20 && c < 0x7F; }

std::size_t ascii_prefix(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_ascii) - text.begin());
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

void append_json_string(std::string& out, std::string_view text) {
  const auto is_plain = [](char c) { return is_ascii(c) && c != '"' && c != '\\'; };
  out += '"';
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
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
