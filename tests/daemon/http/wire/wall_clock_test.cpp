#include "daemon/http/wire/wall_clock.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon::http {
namespace {

using namespace std::chrono_literals;

WallTime current_time;
WallTime told_time() { return current_time; }

std::string rfc3339(WallTime time) {
  std::string out;
  append_rfc3339(out, time);
  return out;
}

TEST(WallClock, times_are_written_as_the_standards_say) {
  const WallTime time(std::chrono::seconds(1'795'207'408) + 7ms);
  EXPECT_EQ(rfc3339(time), "2026-11-20T20:43:28.007Z");
  EXPECT_EQ(imf_fixdate(time), "Fri, 20 Nov 2026 20:43:28 GMT");
  EXPECT_EQ(rfc3339(WallTime(std::chrono::seconds(951'782'400))), "2000-02-29T00:00:00.000Z");
}

TEST(WallClock, a_point_in_the_past_is_as_long_ago_on_the_wall) {
  current_time = WallTime(1000s);
  WallClock clock(&told_time);
  EXPECT_EQ(clock.at(TimePoint(40s), TimePoint(50s)), WallTime(990s));
}

TEST(WallClock, the_time_of_an_event_does_not_flicker) {
  current_time = WallTime(1000s);
  WallClock clock(&told_time);
  const WallTime first = clock.at(TimePoint(40s), TimePoint(50s));
  current_time = WallTime(1010s + 3ms);  // read a little later than the monotonic clock
  EXPECT_EQ(clock.at(TimePoint(40s), TimePoint(60s)), first);
}

TEST(WallClock, a_clock_that_was_set_is_followed) {
  current_time = WallTime(1000s);
  WallClock clock(&told_time);
  static_cast<void>(clock.at(TimePoint(40s), TimePoint(50s)));
  current_time = WallTime(5000s);
  EXPECT_EQ(clock.at(TimePoint(40s), TimePoint(51s)), WallTime(4989s));
}

}  // namespace
}  // namespace belfry::daemon::http
