#include "config/document/source.hpp"

#include <algorithm>

#include "text/utf8.hpp"

namespace belfry::config {
namespace {

std::uint32_t width_of(char32_t code) {
  if (code == 0x200B || code == 0x200D || (code >= 0x300 && code <= 0x36F) ||
      (code >= 0xFE00 && code <= 0xFE0F))
    return 0;
  const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                    (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
  return wide ? 2 : 1;
}

std::string hex_byte(unsigned char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {digits[byte >> 4U], digits[byte & 15U]};
}

bool allowed(char32_t code) {
  return code == '\t' || code == '\n' || code == '\r' ||
         (code >= 0x20 && code != 0x7F && !(code >= 0x80 && code < 0xA0)) || code == 0x85;
}

}  // namespace

void Source::index() const {
  if (!starts_.empty()) return;
  starts_.push_back(0);
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1))
    starts_.push_back(static_cast<std::uint32_t>(at + 1));
}

std::string_view Source::line(std::uint32_t number) const {
  index();
  if (number == 0 || number > starts_.size()) return {};
  std::string_view rest = text();
  rest.remove_prefix(starts_[number - 1]);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

std::uint32_t Source::line_count() const {
  index();
  return static_cast<std::uint32_t>(starts_.size());
}

std::uint32_t Source::token_length(std::uint32_t number, std::uint32_t column) const {
  const std::string_view whole = line(number);
  if (column == 0 || column > whole.size()) return 1;
  const std::string_view rest = whole.substr(column - 1);
  const char first = rest.front();
  std::size_t end = 1;
  if (first == '"' || first == '\'') {
    while (end < rest.size() && rest[end] != first) end += first == '"' && rest[end] == '\\' ? 2 : 1;
    end = std::min(end + 1, rest.size());
  } else if (std::string_view("[]{},").contains(first)) {
    end = 1;
  } else {
    // A plain scalar: up to `: `, ` #`, or a flow indicator that closes what surrounds it.
    while (end < rest.size() && !std::string_view(",]}").contains(rest[end])) {
      const bool colon = rest[end] == ':' && (end + 1 == rest.size() || rest[end + 1] == ' ');
      const bool comment = rest[end] == '#' && rest[end - 1] == ' ';
      if (colon || comment) break;
      ++end;
    }
    while (end > 1 && (rest[end - 1] == ' ' || rest[end - 1] == '\t')) --end;
  }
  return static_cast<std::uint32_t>(end);
}

std::optional<TextFault> find_text_fault(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return TextFault{0, "the file is UTF-16", "save it as UTF-8"};
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte < 0x7F) {
      ++at;
      continue;
    }
    const text::Character one = text::first_character(text.substr(at));
    if (!one.well_formed)
      return TextFault{at, "byte 0x" + hex_byte(byte) + " is not UTF-8", "save the file as UTF-8"};
    if (!allowed(one.code))
      return TextFault{
          at, "control character 0x" + hex_byte(static_cast<unsigned char>(one.code)) + " in the file",
          "write it as an escape inside double quotes: \"\\x" +
              hex_byte(static_cast<unsigned char>(one.code)) + "\""};
    at += one.length;
  }
  return std::nullopt;
}

std::size_t sequence_length(std::string_view text) {
  return text.empty() ? 1 : text::first_character(text).length;
}

std::uint32_t terminal_width(std::string_view text) {
  std::uint32_t width = 0;
  while (!text.empty()) {
    const text::Character one = text::first_character(text);
    width += one.well_formed ? width_of(one.code) : 1;
    text.remove_prefix(one.length);
  }
  return width;
}

std::uint32_t character_column(std::string_view line, std::uint32_t byte_column) {
  std::uint32_t column = 1;
  const std::size_t end = std::min<std::size_t>(byte_column == 0 ? 0 : byte_column - 1, line.size());
  for (std::size_t at = 0; at < end; at += sequence_length(line.substr(at))) ++column;
  return column;
}

std::uint32_t utf16_offset(std::string_view line, std::uint32_t byte_column) {
  std::uint32_t units = 0;
  const std::size_t end = std::min<std::size_t>(byte_column == 0 ? 0 : byte_column - 1, line.size());
  for (std::size_t at = 0; at < end;) {
    const std::size_t length = sequence_length(line.substr(at));
    units += length == 4 ? 2 : 1;
    at += length;
  }
  return units;
}

}  // namespace belfry::config
