// Fields of an HTTP request: what can be one, and what would be more than one.
#include "config/model/http_field.hpp"

#include <gtest/gtest.h>

#include <string>

namespace belfry::config {
namespace {

using namespace std::string_view_literals;

TEST(HttpField, a_token_and_a_line_of_text_are_one) {
  for (const std::string_view name : {"X-Request-Id", "a", "1", "!#$%&'*+-.^_`|~"})
    EXPECT_TRUE(check_http_field(name, "x")) << name;
  for (const std::string_view value : {"", "Bearer a b\tc", "\"~\"", "caf\xC3\xA9", "\xE9"})
    EXPECT_TRUE(check_http_field("A", value)) << value;
}

TEST(HttpField, what_would_end_it_is_refused_without_showing_the_value) {
  for (const std::string_view name : {""sv, "a b"sv, "a:"sv, "a\r\nb"sv, "a\0b"sv, "caf\xC3\xA9"sv})
    EXPECT_FALSE(check_http_field(name, "x")) << name;
  for (const std::string_view value :
       {"s3cret\r\nX: y"sv, "s3cret\n"sv, "s3cret\r"sv, "s3cret\0"sv, "s3cret\x7F"sv, "\x1B[2J"sv}) {
    const auto refused = check_http_field("A", value);
    ASSERT_FALSE(refused) << value;
    EXPECT_FALSE(refused.error().message.contains("s3cret"));
  }
}

}  // namespace
}  // namespace belfry::config
