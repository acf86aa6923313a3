#include "calendar/next.hpp"

#include <bit>
#include <chrono>

namespace belfry::calendar {

namespace {

using namespace std::chrono;

// The 29th of February may be eight years away.
constexpr days horizon{366 * 10};

// The first bit at or after `from`; nothing: none.
template <class Bits>
std::optional<unsigned> next_bit(Bits bits, unsigned from) {
  if (from >= sizeof(Bits) * 8) return std::nullopt;
  const Bits rest = bits >> from;
  if (rest == 0) return std::nullopt;
  return from + static_cast<unsigned>(std::countr_zero(rest));
}

bool has_date(const Cron& cron, local_days day) {
  const year_month_day date(day);
  return cron.has_date(static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       weekday(day).c_encoding());
}

// The first minute at or after `from` that the line means, as clocks would show it; up to `last`.
std::optional<LocalTime> next_match(const Cron& cron, LocalTime from, LocalTime last) {
  local_days day = floor<days>(from);
  const auto of_day = ceil<minutes>(from - day);
  if (of_day >= days(1)) return next_match(cron, day + days(1), last);
  unsigned hour = static_cast<unsigned>(floor<hours>(of_day).count());
  unsigned minute = static_cast<unsigned>((of_day - hours(hour)).count());
  for (; LocalTime(day) <= last; day += days(1), hour = minute = 0) {
    if (!has_date(cron, day)) continue;
    for (auto at = next_bit(cron.hours, hour); at; at = next_bit(cron.hours, *at + 1)) {
      const auto in_hour = next_bit(cron.minutes, *at == hour ? minute : 0);
      if (!in_hour) continue;
      const LocalTime found = day + hours(*at) + minutes(*in_hour);
      return found <= last ? std::optional(found) : std::nullopt;
    }
  }
  return std::nullopt;
}

// By the times of the day: the first moment of each does not decrease with it.
std::optional<Instant> next_of_day(const Cron& cron, const Zone& zone, Instant after) {
  const LocalTime begin = zone.local(after);
  for (LocalTime from = begin;;) {
    const auto found = next_match(cron, from, begin + horizon);
    if (!found) return std::nullopt;
    if (const Instant at = zone.first(*found); at > after) return at;
    from = *found + minutes(1);
  }
}

// By the time that passes, from one change of the clocks to the next.
std::optional<Instant> next_by_passing(const Cron& cron, const Zone& zone, Instant after) {
  Instant from = after + seconds(1);
  for (const Instant end = after + horizon; from <= end;) {
    const std::optional<ClockChange> change = zone.next_change(from);
    const LocalTime begin = zone.local(from);
    const Instant until = change ? std::min(change->at, end) : end;
    const LocalTime last = begin + (until - from) - seconds(1);
    if (const auto found = next_match(cron, begin, last)) return from + (*found - begin);
    if (until == end) break;
    from = until;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Instant> next_after(const Cron& cron, const Zone& zone, Instant after) {
  return cron.passes ? next_by_passing(cron, zone, after) : next_of_day(cron, zone, after);
}

}  // namespace belfry::calendar
