#include "calendar/cron.hpp"

#include <gtest/gtest.h>

namespace belfry::calendar {
namespace {

Cron parsed(std::string_view line) {
  const auto cron = parse_cron(line);
  EXPECT_TRUE(cron) << line << ": " << (cron ? "" : cron.error().message);
  return cron.value_or(Cron{});
}

CronMistake mistake(std::string_view line) {
  const auto cron = parse_cron(line);
  EXPECT_FALSE(cron) << line;
  return cron ? CronMistake{} : cron.error();
}

// What the caret points at.
std::string blamed(std::string_view line) {
  const CronMistake found = mistake(line);
  return std::string(line.substr(found.at, found.length));
}

TEST(Cron, a_number_is_one_bit_and_a_star_is_all_of_them) {
  const Cron cron = parsed("5 3 * * *");
  EXPECT_EQ(cron.minutes, 1ULL << 5);
  EXPECT_EQ(cron.hours, 1U << 3);
  EXPECT_EQ(cron.days, 0xFFFFFFFEU);
  EXPECT_EQ(cron.months, 0x1FFE);
  EXPECT_EQ(cron.weekdays, 0x7F);
  EXPECT_FALSE(cron.passes);
}

TEST(Cron, lists_ranges_and_steps_are_put_together) {
  EXPECT_EQ(parsed("0,30 * * * *").minutes, 1ULL | 1ULL << 30);
  EXPECT_EQ(parsed("0 8-10,20 * * *").hours, 7U << 8 | 1U << 20);
  EXPECT_EQ(parsed("*/20 * * * *").minutes, 1ULL | 1ULL << 20 | 1ULL << 40);
  EXPECT_EQ(parsed("5-20/5 * * * *").minutes, 1ULL << 5 | 1ULL << 10 | 1ULL << 15 | 1ULL << 20);
  EXPECT_EQ(parsed("50/5 * * * *").minutes, 1ULL << 50 | 1ULL << 55);
}

TEST(Cron, months_and_weekdays_have_names_in_any_case) {
  EXPECT_EQ(parsed("0 0 1 JAN,mar-May *").months, 1U << 1 | 7U << 3);
  EXPECT_EQ(parsed("0 0 * * Mon-FRI").weekdays, 0x3E);
}

TEST(Cron, sunday_is_0_and_7_and_the_end_of_a_range) {
  EXPECT_EQ(parsed("0 0 * * 0").weekdays, 1);
  EXPECT_EQ(parsed("0 0 * * 7").weekdays, 1);
  EXPECT_EQ(parsed("0 0 * * 6-7").weekdays, 0x41);
  EXPECT_EQ(parsed("0 0 * * fri-sun").weekdays, 0x61);
}

TEST(Cron, a_word_stands_for_a_line) {
  EXPECT_EQ(parsed("@hourly").minutes, 1);
  EXPECT_TRUE(parsed("@hourly").passes);
  EXPECT_EQ(parsed(" @Daily ").hours, 1);
  EXPECT_EQ(parsed("@weekly").weekdays, 1);
  EXPECT_EQ(parsed("@monthly").days, 2);
  EXPECT_EQ(parsed("@yearly").months, 2);
}

TEST(Cron, one_whose_minute_or_hour_begins_with_a_star_comes_by_the_time_that_passes) {
  EXPECT_TRUE(parsed("*/15 2 * * *").passes);
  EXPECT_TRUE(parsed("0 */2 * * *").passes);
  EXPECT_FALSE(parsed("0 0-23 * * *").passes);
}

TEST(Cron, of_day_and_weekday_either_is_enough_where_both_are_given) {
  const Cron both = parsed("0 0 13 * fri");
  EXPECT_TRUE(both.has_date(2, 13, 1));
  EXPECT_TRUE(both.has_date(2, 6, 5));
  EXPECT_FALSE(both.has_date(2, 6, 1));
  const Cron one = parsed("0 0 * * fri");
  EXPECT_TRUE(one.has_date(2, 6, 5));
  EXPECT_FALSE(one.has_date(2, 13, 1));
}

TEST(Cron, the_mistake_is_named_with_its_place) {
  EXPECT_EQ(blamed("0 24 * * *"), "24");
  EXPECT_EQ(blamed("0 3,x * * *"), "x");
  EXPECT_EQ(blamed("0 3 * foo *"), "foo");
  EXPECT_EQ(blamed("0 3 0 * *"), "0");
  EXPECT_EQ(blamed("*/0 * * * *"), "*/0");
  EXPECT_EQ(blamed("10-5 * * * *"), "10-5");
  EXPECT_EQ(blamed("*/61 * * * *"), "*/61");
  EXPECT_EQ(blamed("0 1,,2 * * *"), "1,,2");
  EXPECT_EQ(blamed("0 0 * mon *"), "mon");
  EXPECT_EQ(blamed("0 0 * * 8"), "8");
  EXPECT_EQ(mistake("0 24 * * *").message, "the hour of this line cannot be 24");
}

TEST(Cron, too_few_and_too_many_fields_are_counted) {
  EXPECT_EQ(mistake("0 3 * *").message, "a line of cron has five fields, and this one has 4");
  EXPECT_NE(mistake("0 0 3 * * *").help.find("every: 10s"), std::string::npos);
  EXPECT_EQ(mistake("").message, "a line of cron has five fields, and this one has 0");
}

TEST(Cron, an_unknown_word_is_no_line) {
  EXPECT_EQ(mistake("@dayly").message, "there is no `@dayly`");
  EXPECT_NE(mistake("@reboot").help.find("at_start"), std::string::npos);
}

TEST(Cron, garbage_is_a_mistake_and_nothing_else) {
  for (const std::string_view line :
       {"- - - - -", "*- * * * *", "/ * * * *", "1- * * * *", "-1 * * * *", "1/ * * * *",
        "99999999999999999999 * * * *", "*/-1 * * * *", "+1 * * * *", "1-2-3 * * * *"})
    EXPECT_FALSE(parse_cron(line)) << line;
}

TEST(Cron, a_day_that_no_month_has_never_comes) {
  EXPECT_TRUE(never_comes(parsed("0 0 30 2 *")));
  EXPECT_TRUE(never_comes(parsed("0 0 31 4,6,9,11 *")));
  EXPECT_TRUE(never_comes(parsed("0 0 31 2 */2")));
  EXPECT_FALSE(never_comes(parsed("0 0 29 2 *")));
  EXPECT_FALSE(never_comes(parsed("0 0 30 2 mon")));
  EXPECT_FALSE(never_comes(parsed("0 0 30 1-2 *")));
}

}  // namespace
}  // namespace belfry::calendar
