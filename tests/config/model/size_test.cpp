#include "config/model/size.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

TEST(Size, binary_units_count_by_1024) {
  EXPECT_EQ(parse_size("64MiB").value(), 64ULL << 20U);
  EXPECT_EQ(parse_size("64M").value(), 64ULL << 20U);
  EXPECT_EQ(parse_size("1k").value(), 1024U);
  EXPECT_EQ(parse_size("2GiB").value(), 2ULL << 30U);
  EXPECT_EQ(parse_size("3TiB").value(), 3ULL << 40U);
}
TEST(Size, decimal_units_count_by_1000) { EXPECT_EQ(parse_size("5MB").value(), 5'000'000U); }
TEST(Size, without_a_unit_is_bytes) {
  EXPECT_EQ(parse_size("512").value(), 512U);
  EXPECT_EQ(parse_size("512B").value(), 512U);
}
TEST(Size, unknown_units_negatives_and_overflow_are_refused) {
  for (const char* text :
       {"", "x", "-1M", "1X", "1MiBs", "99999999999999999999", "18446744073709551615K", "1.5G", " 1"})
    EXPECT_FALSE(parse_size(text)) << text;
  EXPECT_EQ(parse_size("18446744073709551615").value(), ~0ULL);
}

}  // namespace
}  // namespace belfry::config
