#include "calendar/next.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace belfry::calendar {
namespace {

using namespace std::chrono;

Zone zone(std::string_view name) {
  auto found = Zone::named(name);
  EXPECT_TRUE(found) << name << ": " << (found ? "" : found.error());
  return found.value_or(Zone::utc());
}

Instant utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  return sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + hours(hour) +
         minutes(minute);
}

// The times that come between the two, as clocks show them there.
std::vector<std::string> times(std::string_view line, const Zone& zone, Instant from, Instant until) {
  const auto cron = parse_cron(line);
  EXPECT_TRUE(cron) << line;
  std::vector<std::string> all;
  for (auto at = next_after(*cron, zone, from - seconds(1)); at && *at < until;
       at = next_after(*cron, zone, *at))
    all.push_back(zone.text(*at));
  return all;
}

using Times = std::vector<std::string>;

TEST(Next, a_time_of_the_day_comes_once_a_day) {
  EXPECT_EQ(times("30 4 * * *", Zone::utc(), utc(2026, 1, 1), utc(2026, 1, 3)),
            (Times{"2026-01-01 04:30 +0000", "2026-01-02 04:30 +0000"}));
}

TEST(Next, it_is_later_than_the_moment_that_is_given) {
  const auto cron = parse_cron("0 3 * * *");
  EXPECT_EQ(next_after(*cron, Zone::utc(), utc(2026, 1, 1, 3)), utc(2026, 1, 2, 3));
  EXPECT_EQ(next_after(*cron, Zone::utc(), utc(2026, 1, 1, 3) - seconds(1)), utc(2026, 1, 1, 3));
}

TEST(Next, the_29th_of_february_is_waited_for) {
  EXPECT_EQ(next_after(*parse_cron("0 0 29 2 *"), Zone::utc(), utc(2096, 3, 1)), utc(2104, 2, 29));
}

TEST(Next, what_never_comes_is_nothing) {
  EXPECT_EQ(next_after(*parse_cron("0 0 30 2 *"), zone("Europe/Zurich"), utc(2026, 1, 1)), std::nullopt);
  EXPECT_EQ(next_after(*parse_cron("* * 30 2 *"), zone("Europe/Zurich"), utc(2026, 1, 1)), std::nullopt);
}

TEST(Next, a_time_that_clocks_leave_out_in_spring_comes_when_they_are_set) {
  EXPECT_EQ(times("30 2 * * *", zone("Europe/Zurich"), utc(2026, 3, 28), utc(2026, 3, 31)),
            (Times{"2026-03-28 02:30 +0100", "2026-03-29 03:00 +0200", "2026-03-30 02:30 +0200"}));
}

TEST(Next, several_times_that_clocks_leave_out_come_as_one) {
  EXPECT_EQ(times("0,30 2,3 * * *", zone("Europe/Zurich"), utc(2026, 3, 28, 23), utc(2026, 3, 29, 12)),
            (Times{"2026-03-29 03:00 +0200", "2026-03-29 03:30 +0200"}));
}

TEST(Next, a_time_that_clocks_show_twice_in_autumn_comes_the_first_time) {
  EXPECT_EQ(times("30 2 * * *", zone("Europe/Zurich"), utc(2026, 10, 24, 12), utc(2026, 10, 26, 12)),
            (Times{"2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"}));
}

TEST(Next, between_the_two_times_it_does_not_come_again) {
  const auto cron = parse_cron("30 2 * * *");
  EXPECT_EQ(next_after(*cron, zone("Europe/Zurich"), utc(2026, 10, 25, 1, 10)), utc(2026, 10, 26, 1, 30));
}

TEST(Next, every_half_hour_goes_by_the_time_that_passes) {
  EXPECT_EQ(times("*/30 * * * *", zone("Europe/Zurich"), utc(2026, 10, 25, 0), utc(2026, 10, 25, 2)),
            (Times{"2026-10-25 02:00 +0200", "2026-10-25 02:30 +0200", "2026-10-25 02:00 +0100",
                   "2026-10-25 02:30 +0100"}));
  EXPECT_EQ(times("*/30 * * * *", zone("Europe/Zurich"), utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 1, 30)),
            (Times{"2026-03-29 01:30 +0100", "2026-03-29 03:00 +0200"}));
}

TEST(Next, a_day_that_a_country_left_out_comes_when_the_next_one_begins) {
  // Samoa went from the 29th to the 31st of December 2011.
  EXPECT_EQ(times("0 12 * * *", zone("Pacific/Apia"), utc(2011, 12, 29), utc(2012, 1, 1)),
            (Times{"2011-12-29 12:00 -1000", "2011-12-31 00:00 +1400", "2011-12-31 12:00 +1400",
                   "2012-01-01 12:00 +1400"}));
}

TEST(Next, half_an_hour_of_summer_is_half_an_hour) {
  EXPECT_EQ(times("15 2 * * *", zone("Australia/Lord_Howe"), utc(2026, 10, 2, 12), utc(2026, 10, 4, 12)),
            (Times{"2026-10-03 02:15 +1030", "2026-10-04 02:30 +1100"}));
}

// --- against a clock that is looked at once a minute

struct Change {
  Instant at;
  Zone zone;
};

bool means(const Cron& cron, LocalTime time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss of_day(time - day);
  return of_day.seconds().count() == 0 && cron.has_minute(static_cast<unsigned>(of_day.minutes().count())) &&
         cron.has_hour(static_cast<unsigned>(of_day.hours().count())) &&
         cron.has_date(static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       weekday(day).c_encoding());
}

// Looks at every minute, and remembers how far clocks have come.
std::vector<Instant> looked_at(const Cron& cron, const Zone& zone, Instant from, Instant until) {
  std::vector<Instant> all;
  LocalTime before = zone.local(from - minutes(1));
  LocalTime furthest = before;
  for (Instant at = from; at < until; at += minutes(1)) {
    const LocalTime now = zone.local(at);
    bool comes = means(cron, now) && (cron.passes || now > furthest);
    for (LocalTime left_out = before + minutes(1); left_out < now && !cron.passes; left_out += minutes(1))
      comes = comes || (means(cron, left_out) && left_out > furthest);
    if (comes) all.push_back(at);
    before = now;
    furthest = std::max(furthest, now);
  }
  return all;
}

class RandomLine {
 public:
  explicit RandomLine(unsigned seed) : random_(seed) {}

  std::string line() {
    // Mostly near the hours at which clocks are set.
    std::string hour = chance(2) ? field(0, 4) : field(0, 23);
    return field(0, 59) + " " + hour + " " + (chance(2) ? "*" : field(1, 31)) + " " +
           (chance(3) ? field(1, 12) : "*") + " " + (chance(2) ? "*" : field(0, 7));
  }
  unsigned below(unsigned count) { return static_cast<unsigned>(random_() % count); }

 private:
  bool chance(unsigned in) { return below(in) == 0; }
  std::string field(unsigned low, unsigned high) {
    const auto value = [&] { return low + below(high - low + 1); };
    switch (below(6)) {
      case 0: return "*";
      case 1: return "*/" + std::to_string(1 + below(high));
      case 2: {
        const unsigned a = value(), b = value();
        return std::to_string(std::min(a, b)) + "-" + std::to_string(std::max(a, b));
      }
      case 3: return std::to_string(value()) + "," + std::to_string(value()) + "," + std::to_string(value());
      default: return std::to_string(value());
    }
  }
  std::mt19937 random_;
};

constexpr std::string_view zones[] = {
    "UTC",
    "Europe/Zurich",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Istanbul",
    "Europe/Moscow",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "America/Scoresbysund",
    "America/Nuuk",
    "America/Caracas",
    "America/Argentina/San_Luis",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Sao_Tome",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Gaza",
    "Asia/Amman",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Norfolk",
    "Pacific/Easter",
};

TEST(Next, on_any_line_in_any_zone_it_is_what_a_clock_that_is_looked_at_each_minute_shows) {
  RandomLine random(20261201);
  for (const std::string_view name : zones) {
    const Zone where = zone(name);
    for (int i = 0; i < 60; ++i) {
      const std::string line = random.line();
      const auto cron = parse_cron(line);
      ASSERT_TRUE(cron) << line;
      // Around a change of the clocks, if there is one: the windows are what the test is for.
      Instant middle =
          utc(2007 + static_cast<int>(random.below(28)), 1 + random.below(12), 1 + random.below(28));
      if (const auto change = where.next_change(middle)) middle = floor<minutes>(change->at);
      const Instant from = middle - days(2), until = middle + days(3);
      std::vector<Instant> told;
      for (auto at = next_after(*cron, where, from - seconds(1)); at && *at < until;
           at = next_after(*cron, where, *at))
        told.push_back(*at);
      ASSERT_EQ(told, looked_at(*cron, where, from, until))
          << line << " in " << name << " around " << where.text(middle);
    }
  }
}

TEST(Next, from_any_moment_it_is_the_first_that_a_clock_shows_after_it) {
  RandomLine random(7);
  for (const std::string_view name : zones) {
    const Zone where = zone(name);
    const auto change = where.next_change(utc(2010, 1, 1));
    if (!change) continue;
    const Instant from = floor<minutes>(change->at) - days(1), until = from + days(2);
    for (int i = 0; i < 12; ++i) {
      const auto cron = parse_cron(random.line());
      ASSERT_TRUE(cron);
      const std::vector<Instant> all = looked_at(*cron, where, from, until);
      for (int n = 0; n < 50; ++n) {
        const Instant after = from + seconds(random.below(2U * 24 * 3600));
        const auto expected = std::ranges::upper_bound(all, after);
        if (expected == all.end()) continue;
        ASSERT_EQ(next_after(*cron, where, after), *expected) << name << " after " << where.text(after);
      }
    }
  }
}

}  // namespace
}  // namespace belfry::calendar
