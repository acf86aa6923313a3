// A line of cron: five fields, or a word such as `@daily`, as sets of minutes, hours, days, months, weekdays.
//
// What the fields mean is what Vixie cron and cronie make of them (crontab(5)): lists, ranges, steps, names
// of months and weekdays, 7 as another Sunday, and the one rule that surprises: when both the day of the
// month and the weekday are given, a day on which either of them holds is meant. Pure values; no zone, no
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace belfry::calendar {

// What is wrong with a line, and where in it.
struct CronMistake {
  std::string message;
  std::string help;
  std::size_t at = 0, length = 0;
};

struct Cron {
  std::uint64_t minutes = 0;  // bit 0: minute 0
  std::uint32_t hours = 0;    // bit 0: hour 0
  std::uint32_t days = 0;     // bit 1: the 1st
  std::uint16_t months = 0;   // bit 1: January
  std::uint8_t weekdays = 0;  // bit 0: Sunday
  bool any_day = false;       // that field begins with `*`: the other one decides
  bool any_weekday = false;
  // Its minute or its hour begins with `*`: it comes again and again, by the time that passes. Else it has
  // its times of the day, and each of them comes once a day, also where clocks are changed.
  bool passes = false;

  [[nodiscard]] bool has_minute(unsigned minute) const { return (minutes >> minute & 1U) != 0; }
  [[nodiscard]] bool has_hour(unsigned hour) const { return (hours >> hour & 1U) != 0; }
  // `month` from 1, `day` from 1, `weekday` from 0 for Sunday.
  [[nodiscard]] bool has_date(unsigned month, unsigned day, unsigned weekday) const;
};

[[nodiscard]] std::expected<Cron, CronMistake> parse_cron(std::string_view line);

// No day of any year is meant: `0 0 30 2 *`.
[[nodiscard]] bool never_comes(const Cron& cron);

}  // namespace belfry::calendar
