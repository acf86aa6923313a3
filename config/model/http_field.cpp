#include "config/model/http_field.hpp"

#include <algorithm>
#include <string>

namespace belfry::config {
namespace {

bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

std::expected<void, Malformed> check_http_field(std::string_view name, std::string_view value) {
  if (name.empty() || !std::ranges::all_of(name, is_token_character))
    return std::unexpected(Malformed{"`" + std::string(name.substr(0, 200)) + "` is not the name of a header",
                                     "write letters, digits and `-`, as in X-Request-Id"});
  if (std::ranges::any_of(value, is_control))
    return std::unexpected(
        Malformed{"the value of the header `" + std::string(name) +
                      "` holds a line break or another control character, which no request may have",
                  "remove it; a block that begins with `|` or `>` ends with a line break, `|-` does not"});
  return {};
}

bool is_same_http_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace belfry::config
