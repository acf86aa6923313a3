#include "config/document/words.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

using List = std::vector<std::string>;
List words(std::string_view line) { return split_words(line).words; }

TEST(Words, blanks_separate) { EXPECT_EQ(words("  a  b\tc\nd "), (List{"a", "b", "c", "d"})); }
TEST(Words, single_quotes_keep_everything) {
  EXPECT_EQ(words(R"(a 'b "c" \d' e)"), (List{"a", R"(b "c" \d)", "e"}));
}
TEST(Words, double_quotes_know_five_escapes) {
  EXPECT_EQ(words(R"("a\"b\\c\$d\`e" "f\g")"), (List{R"(a"b\c$d`e)", R"(f\g)"}));
}
TEST(Words, a_backslash_keeps_the_next_character) { EXPECT_EQ(words(R"(a\ b c\'d)"), (List{"a b", "c'd"})); }
TEST(Words, a_backslash_joins_lines) { EXPECT_EQ(words("a\\\nb"), (List{"ab"})); }
TEST(Words, quotes_inside_a_word_join_it) { EXPECT_EQ(words(R"(a'b'"c")"), (List{"abc"})); }
TEST(Words, empty_quotes_are_a_word) { EXPECT_EQ(words("a '' \"\""), (List{"a", "", ""})); }
TEST(Words, an_unclosed_quote_is_told_by_its_place) {
  EXPECT_EQ(split_words("sh -c 'echo").unclosed, 6U);
  EXPECT_EQ(split_words("a \"b").unclosed, 2U);
  EXPECT_EQ(split_words("a\\").unclosed, 1U);
  EXPECT_FALSE(split_words("a 'b'").unclosed);
}
TEST(Words, shell_syntax_outside_quotes_is_noticed) {
  EXPECT_EQ(split_words("a | b").shell_token, "|");
  EXPECT_EQ(split_words("a && b").shell_token, "&&");
  EXPECT_EQ(split_words("a >> b").shell_token, ">>");
  EXPECT_EQ(split_words("a *.log").shell_token, "*");
  EXPECT_EQ(split_words("a $HOME/b").shell_token, "$HOME/b");
  EXPECT_EQ(split_words("cd ~/x").shell_token, "~");
  EXPECT_EQ(split_words("A=b cmd").shell_token, "A=b");
}
TEST(Words, shell_syntax_in_quotes_and_ordinary_arguments_are_left_alone) {
  for (const char* line :
       {"a '| b'", "a \"*\"", "a --b=c", "./a x~", "a 100%", "a http://b/?c=d", "a 5$", "a \\| b"})
    EXPECT_FALSE(split_words(line).shell_syntax) << line;
}
TEST(Words, joined_are_split_into_the_same) {
  const List list{"a", "", "b c", "d'e", "f\"g", "$h", "i\\j", "k\nl"};
  EXPECT_EQ(words(join_words(list)), list);
}

}  // namespace
}  // namespace belfry::config
