#include "daemon/http/wire/wall_clock.hpp"

#include "system/clock.hpp"

#include <ctime>
#include <string_view>

namespace belfry::daemon::http {
namespace {

using namespace std::chrono;

struct Calendar {
  year_month_day date;
  hh_mm_ss<milliseconds> time;
  weekday day;
};

Calendar calendar(WallTime time) {
  const auto midnight = floor<days>(time);
  return {year_month_day(midnight), hh_mm_ss(floor<milliseconds>(time - midnight)), weekday(midnight)};
}

void append_padded(std::string& out, long value, unsigned width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

void append_clock(std::string& out, const hh_mm_ss<milliseconds>& time) {
  append_padded(out, time.hours().count(), 2);
  out += ':';
  append_padded(out, time.minutes().count(), 2);
  out += ':';
  append_padded(out, time.seconds().count(), 2);
}

}  // namespace

void append_rfc3339(std::string& out, WallTime time) {
  const Calendar when = calendar(time);
  append_padded(out, static_cast<int>(when.date.year()), 4);
  out += '-';
  append_padded(out, static_cast<long>(static_cast<unsigned>(when.date.month())), 2);
  out += '-';
  append_padded(out, static_cast<long>(static_cast<unsigned>(when.date.day())), 2);
  out += 'T';
  append_clock(out, when.time);
  out += '.';
  append_padded(out, static_cast<long>(when.time.subseconds().count()), 3);
  out += 'Z';
}

std::string imf_fixdate(WallTime time) {
  constexpr std::string_view day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Calendar when = calendar(time);
  std::string out(day_names[when.day.c_encoding()]);
  out += ", ";
  append_padded(out, static_cast<long>(static_cast<unsigned>(when.date.day())), 2);
  (out += ' ') += month_names[static_cast<unsigned>(when.date.month()) - 1];
  out += ' ';
  append_padded(out, static_cast<int>(when.date.year()), 4);
  out += ' ';
  append_clock(out, when.time);
  out += " GMT";
  return out;
}

WallTime WallClock::at(TimePoint then, TimePoint monotonic_now) {
  const auto seen = source_().time_since_epoch() - monotonic_now.time_since_epoch();
  if (!known_ || seen - offset_ > step || offset_ - seen > step) offset_ = seen;
  known_ = true;
  return WallTime(then.time_since_epoch() + offset_);
}

WallTime WallClock::system_now() { return time_point_cast<nanoseconds>(system_clock::now()); }

WallTime WallClock::coarse_now() { return WallTime(system::coarse_time_of_day()); }

}  // namespace belfry::daemon::http
