#include "config/model/pattern.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

bool occurs(std::string_view pattern, std::string_view text) {
  const auto compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern;
  return compiled && compiled->occurs_in(text);
}

TEST(Pattern, is_found_anywhere_unless_it_is_anchored) {
  EXPECT_TRUE(occurs("listening on", "10:00 listening on 80"));
  EXPECT_TRUE(occurs("port \\d+$", "port 8080"));
  EXPECT_FALSE(occurs("^port", "a port"));
  EXPECT_TRUE(occurs("(?i)READY", "is ready"));
  EXPECT_TRUE(occurs("bereit für [äöü]", "jetzt bereit für ä"));
}

TEST(Pattern, of_bytes_that_are_no_text_is_found_beside_them) {
  EXPECT_TRUE(occurs("ready", std::string_view("\xff\xfe\0ready", 8)));
}

TEST(Pattern, that_cannot_be_understood_says_why) {
  EXPECT_EQ(Pattern::compile("listening [on").error(), "missing ]: [on");
  EXPECT_FALSE(Pattern::compile("(?=look)ahead"));
  EXPECT_FALSE(Pattern::compile("(a)\\1"));
  EXPECT_FALSE(Pattern::compile("(((a{1000}){1000}){1000})")) << "too large";
}

// What backtracking engines fall over: exponential time, or a stack frame a character.
TEST(Pattern, takes_linear_time_and_no_stack_with_hostile_text) {
  const std::string text(1 << 20, 'a');
  EXPECT_FALSE(occurs("(a|aa)+$b", text));
  EXPECT_FALSE(occurs("(a*)*c", text));
  EXPECT_TRUE(occurs("(a|b)*$", text));
}

}  // namespace
}  // namespace belfry::config
