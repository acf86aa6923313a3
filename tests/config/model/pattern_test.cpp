#include "config/model/pattern.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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
  EXPECT_TRUE(occurs("(a|b)*$", text.substr(0, 1000)));
}

// A text that the automaton has no room for: 12 s for "a.{990}c" and 1 MiB, were it not for the bounds.
TEST(Pattern, looks_at_the_less_the_more_steps_it_has) {
  std::string text;
  for (unsigned bits = 1; text.size() < (1 << 20); bits = bits * 1664525U + 1013904223U)
    text.push_back((bits >> 16 & 1U) != 0 ? 'a' : 'b');
  text.back() = 'c';
  const auto simple = Pattern::compile("c$");
  EXPECT_EQ(simple->reach(), text.size());
  EXPECT_TRUE(simple->occurs_in(text));
  EXPECT_GT(Pattern::compile("listening on port")->reach(), 200U << 10);
  for (const char* costly : {"[ab]*a[ab]{200}c", "[ab]*a[ab]{800}c", "(a?){200}a{200}c", "a.{100}c"}) {
    SCOPED_TRACE(costly);
    const auto compiled = Pattern::compile(costly);
    ASSERT_TRUE(compiled);
    EXPECT_LE(compiled->reach() * compiled->steps(), Pattern::most_work);
    EXPECT_FALSE(compiled->occurs_in(text));
  }
}

TEST(Pattern, is_not_found_behind_what_is_looked_at_whose_end_is_none_of_the_text) {
  const auto last = Pattern::compile("^a*$");
  EXPECT_TRUE(last->occurs_in("aaaa"));
  EXPECT_FALSE(last->occurs_in("aaaab"));
  EXPECT_FALSE(last->occurs_in("aaaab", 4));
  EXPECT_FALSE(Pattern::compile("b")->occurs_in("aaaab", 4));
  EXPECT_FALSE(Pattern::compile("^a{900}[ab]*$")->occurs_in(std::string(1 << 20, 'a') + "c"));
  const auto named = Pattern::compile("(?P<A>a+)$", Pattern::Groups::keep);
  EXPECT_TRUE(named->groups_in("aaaab", 4).empty());
}

TEST(Pattern, that_is_accepted_has_its_groups_whatever_they_cost) {
  const char* const nearly_too_large = "(?P<A>(a?){450})";
  ASSERT_TRUE(Pattern::compile(nearly_too_large));
  const auto kept = Pattern::compile(nearly_too_large, Pattern::Groups::keep);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->group_names(), std::vector<std::string>{"A"});
  EXPECT_LE(kept->reach() * kept->steps(), Pattern::most_work);
}

TEST(Pattern, of_too_many_steps_is_refused_and_says_so) {
  EXPECT_EQ(Pattern::compile("a.{990}c").error(), "it has 7926 steps, more than 1000: repeat less of it");
}

}  // namespace
}  // namespace belfry::config
