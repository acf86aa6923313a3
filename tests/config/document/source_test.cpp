#include "config/document/source.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

TEST(Source, gives_lines_without_their_breaks) {
  const Source source("f", "a\r\nbc\n\nlast");
  EXPECT_EQ(source.line(1), "a");
  EXPECT_EQ(source.line(2), "bc");
  EXPECT_EQ(source.line(3), "");
  EXPECT_EQ(source.line(4), "last");
  EXPECT_EQ(source.line(5), "");
  EXPECT_EQ(source.line(0), "");
}
TEST(Source, finds_the_end_of_a_token) {
  const Source source("f", "key: \"a \\\" b\" # c\nlist: [one, 'two' ]\nplain: a b c # d\n");
  EXPECT_EQ(source.token_length(1, 1), 3U);
  EXPECT_EQ(source.token_length(1, 6), 8U);
  EXPECT_EQ(source.token_length(2, 8), 3U);
  EXPECT_EQ(source.token_length(2, 13), 5U);
  EXPECT_EQ(source.token_length(3, 8), 5U);
  EXPECT_EQ(source.token_length(99, 1), 1U);
}
TEST(Source, columns_count_bytes_characters_cells_and_utf16_units) {
  const std::string line = "aä日😀x";
  EXPECT_EQ(character_column(line, 11), 5U);
  EXPECT_EQ(utf16_offset(line, 11), 5U);
}
TEST(TextFault, well_formed_text_has_none) { EXPECT_FALSE(find_text_fault("a\tb\r\nä日😀\xF4\x8F\xBF\xBF")); }
TEST(TextFault, every_malformed_sequence_is_found_at_its_first_byte) {
  for (const std::string bad : {"\x80", "\xC0\xAF", "\xC3", "\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                "\xF8\x88\x80\x80", "\xFE", "\x01", "\x7F", "\xC2\x85x\x1B"}) {
    const auto fault = find_text_fault("ab" + bad);
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->offset, bad.ends_with('\x1B') ? 5U : 2U);
  }
}

}  // namespace
}  // namespace belfry::config
