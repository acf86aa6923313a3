#include "calendar/zone.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace belfry::calendar {
namespace {

using namespace std::chrono;

Zone zone(std::string_view name) {
  auto found = Zone::named(name);
  EXPECT_TRUE(found) << name << ": " << (found ? "" : found.error());
  return found.value_or(Zone::utc());
}

Instant utc(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  return sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + hours(hour) +
         minutes(minute);
}

LocalTime clocks(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  return LocalTime(utc(year, month, day, hour, minute).time_since_epoch());
}

TEST(Zone, utc_shows_what_it_is_without_any_file) {
  EXPECT_EQ(Zone::utc().local(utc(2026, 7, 1, 12)), clocks(2026, 7, 1, 12));
  EXPECT_EQ(Zone::utc().next_change(utc(2026, 7, 1, 12)), std::nullopt);
}

TEST(Zone, a_zone_knows_summer_and_winter) {
  const Zone zurich = zone("Europe/Zurich");
  EXPECT_EQ(zurich.local(utc(2026, 7, 1, 12)), clocks(2026, 7, 1, 14));
  EXPECT_EQ(zurich.local(utc(2026, 12, 1, 12)), clocks(2026, 12, 1, 13));
  EXPECT_EQ(zurich.text(utc(2026, 12, 2, 2)), "2026-12-02 03:00 +0100");
}

TEST(Zone, it_tells_when_clocks_are_set) {
  const auto spring = zone("Europe/Zurich").next_change(utc(2026, 1, 1, 0));
  ASSERT_TRUE(spring);
  EXPECT_EQ(spring->at, utc(2026, 3, 29, 1));
  EXPECT_EQ(spring->from, clocks(2026, 3, 29, 2));
  EXPECT_EQ(spring->to, clocks(2026, 3, 29, 3));
  const auto autumn = zone("Europe/Zurich").next_change(spring->at);
  ASSERT_TRUE(autumn);
  EXPECT_EQ(autumn->at, utc(2026, 10, 25, 1));
}

TEST(Zone, a_time_shown_twice_is_the_first_of_both_and_one_shown_never_is_when_clocks_are_set) {
  const Zone zurich = zone("Europe/Zurich");
  EXPECT_EQ(zurich.first(clocks(2026, 10, 25, 2, 30)), utc(2026, 10, 25, 0, 30));
  EXPECT_EQ(zurich.first(clocks(2026, 3, 29, 2, 30)), utc(2026, 3, 29, 1));
}

TEST(Zone, rules_go_on_beyond_what_is_listed) {
  EXPECT_EQ(zone("Europe/Zurich").local(utc(2090, 7, 1, 12)), clocks(2090, 7, 1, 14));
}

TEST(Zone, what_is_no_zone_is_refused) {
  for (const std::string_view name : {"Europe/Zurch", "", "/etc/localtime", "../../etc/passwd", "localtime",
                                      "file:/etc/localtime", "Europe", "libc:localtime"})
    EXPECT_FALSE(Zone::named(name)) << name;
}

TEST(Zone, the_names_of_all_are_known_for_who_has_misspelt_one) {
  const auto names = zone_names();
  EXPECT_TRUE(std::ranges::binary_search(names, "Europe/Zurich"));
  EXPECT_TRUE(std::ranges::binary_search(names, "UTC"));
  EXPECT_FALSE(std::ranges::binary_search(names, "posix/Europe/Zurich"));
  EXPECT_FALSE(std::ranges::binary_search(names, "tzdata.zi"));
}

}  // namespace
}  // namespace belfry::calendar
