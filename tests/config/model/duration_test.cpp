#include "config/model/duration.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

using namespace std::chrono_literals;

Duration parsed(std::string_view text) { return parse_duration(text).value(); }
std::string refused(std::string_view text) {
  const auto result = parse_duration(text);
  return result ? "accepted" : result.error().message;
}

TEST(Duration, units_from_nanoseconds_to_days_are_known) {
  EXPECT_EQ(parsed("5ns"), 5ns);
  EXPECT_EQ(parsed("5us"), 5us);
  EXPECT_EQ(parsed("5µs"), 5us);
  EXPECT_EQ(parsed("250ms"), 250ms);
  EXPECT_EQ(parsed("10s"), 10s);
  EXPECT_EQ(parsed("2m"), 2min);
  EXPECT_EQ(parsed("3h"), 3h);
  EXPECT_EQ(parsed("1d"), 24h);
}

TEST(Duration, several_units_add_up) {
  EXPECT_EQ(parsed("1m30s"), 90s);
  EXPECT_EQ(parsed("1h2m3s4ms"), 1h + 2min + 3s + 4ms);
}
TEST(Duration, fractions_are_exact) {
  EXPECT_EQ(parsed("1.5s"), 1500ms);
  EXPECT_EQ(parsed("0.25h"), 15min);
  EXPECT_EQ(parsed(".5s"), 500ms);
}
TEST(Duration, zero_needs_no_unit) {
  EXPECT_EQ(parsed("0"), 0ns);
  EXPECT_EQ(parsed("0s"), 0ns);
}
TEST(Duration, a_number_without_unit_is_refused_with_a_proposal) {
  EXPECT_EQ(refused("10"), "`10` has no unit");
  EXPECT_EQ(parse_duration("10").error().help, "write `10s` for seconds, or `10ms`");
}
TEST(Duration, negative_empty_and_nonsense_are_refused) {
  EXPECT_EQ(refused("-1s"), "`-1s` is negative");
  EXPECT_EQ(refused(""), "`` is not a duration");
  EXPECT_EQ(refused("soon"), "`soon` is not a duration");
  EXPECT_EQ(refused("1 s"), "`1 s` has an unknown unit ` s`");
  EXPECT_EQ(refused("."), "`.` is not a duration");
  EXPECT_EQ(refused("1s2"), "`1s2` has no unit");
}
TEST(Duration, too_long_ones_are_refused_and_do_not_overflow) {
  EXPECT_EQ(refused("300000d"), "`300000d` is too long");
  EXPECT_EQ(refused("99999999999999999999999999s"), "`99999999999999999999999999s` is not a duration");
  EXPECT_NE(refused(std::string(1000, '9')), "accepted");
  EXPECT_EQ(parsed("9223372036854775807ns"), Duration::max());
}
TEST(Duration, is_written_as_it_would_be_read) {
  for (const Duration value : {0ns, 1ns, Duration(90s), Duration(25h), Duration(1500ms), Duration::max()})
    EXPECT_EQ(parsed(to_string(value)), value) << to_string(value);
  EXPECT_EQ(to_string(Duration(90s)), "1m30s");
  EXPECT_EQ(to_string(Duration(0)), "0s");
}

}  // namespace
}  // namespace belfry::config
