#include "text/utf8.hpp"

#include <gtest/gtest.h>

namespace belfry::text {
namespace {

TEST(Utf8, characters_of_every_length_are_read) {
  EXPECT_EQ(first_character("a").code, U'a');
  EXPECT_EQ(first_character("\xC3\xBC").code, U'\u00FC');
  EXPECT_EQ(first_character("\xE2\x82\xAC").length, 3U);
  EXPECT_EQ(first_character("\xF0\x9F\x94\x94").code, U'\U0001F514');
}

TEST(Utf8, a_byte_that_begins_no_character_counts_alone) {
  for (const char* bad : {"\xFF", "\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x9F\x94", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"}) {
    const Character one = first_character(bad);
    EXPECT_FALSE(one.well_formed) << bad;
    EXPECT_EQ(one.length, 1U) << bad;
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Utf8, a_text_is_utf8_when_all_of_it_is) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("gr\xC3\xBC\xC3\x9F\x65"));
  EXPECT_FALSE(is_utf8("gr\xC3\xBC\xC3"));
}

TEST(Utf8, a_text_of_which_more_may_come_is_cut_between_characters) {
  EXPECT_EQ(end_of_characters(""), 0U);
  EXPECT_EQ(end_of_characters("ab"), 2U);
  EXPECT_EQ(end_of_characters("a\xC3\xBC"), 3U);
  EXPECT_EQ(end_of_characters("a\xC3"), 1U);
  EXPECT_EQ(end_of_characters("a\xF0\x9F\x94"), 1U);
  EXPECT_EQ(end_of_characters("a\x94\x94\x94\x94"), 5U);
}

TEST(Utf8, a_code_point_is_written_as_it_is_read) {
  for (const char32_t code :
       {U'a', U'\u007F', U'\u0080', U'\u07FF', U'\u0800', U'\uFFFD', U'\U00010000', U'\U0010FFFF'}) {
    std::string out;
    append_character(out, code);
    const Character one = first_character(out);
    EXPECT_TRUE(one.well_formed) << static_cast<unsigned>(code);
    EXPECT_EQ(one.code, code);
    EXPECT_EQ(one.length, out.size());
  }
}

}  // namespace
}  // namespace belfry::text
