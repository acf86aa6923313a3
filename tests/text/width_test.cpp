#include "text/width.hpp"

#include <gtest/gtest.h>

namespace belfry::text {
namespace {

TEST(Width, is_two_for_wide_characters_and_none_for_combining_ones) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("数据"), 4U);
  EXPECT_EQ(display_width("aä日😀"), 6U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);
  EXPECT_EQ(display_width("\xF0\x9F\x94\x94"), 2U);
}

TEST(Width, of_a_byte_that_is_not_utf8_is_one) {
  EXPECT_EQ(display_width("\xFF\xFE"), 2U);
  EXPECT_EQ(display_width("a\xE2\x82"), 3U);
}

}  // namespace
}  // namespace belfry::text
