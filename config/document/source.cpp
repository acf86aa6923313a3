#include "config/document/source.hpp"

#include <algorithm>

#include "text/utf8.hpp"

namespace belfry::config {
namespace {

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

std::uint32_t character_column(std::string_view line, std::uint32_t byte_column) {
  std::uint32_t column = 1;
  const std::size_t end = std::min<std::size_t>(byte_column == 0 ? 0 : byte_column - 1, line.size());
  for (std::size_t at = 0; at < end; at += text::first_character(line.substr(at)).length) ++column;
  return column;
}

std::uint32_t utf16_offset(std::string_view line, std::uint32_t byte_column) {
  std::uint32_t units = 0;
  const std::size_t end = std::min<std::size_t>(byte_column == 0 ? 0 : byte_column - 1, line.size());
  for (std::size_t at = 0; at < end;) {
    const std::size_t length = text::first_character(line.substr(at)).length;
    units += length == 4 ? 2 : 1;
    at += length;
  }
  return units;
}

}  // namespace belfry::config
