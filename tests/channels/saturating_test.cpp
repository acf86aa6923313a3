#include "channels/time/saturating.hpp"

#include <limits>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/watchdog.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using test::Rig;

constexpr Duration for_ever = Duration::max();
constexpr TimePoint never = TimePoint::max();

TEST(Saturating, hours_and_years_add_up_as_they_do_elsewhere) {
  EXPECT_EQ(saturating_add(hours(2), hours(3)), hours(5));
  EXPECT_EQ(saturating_add(TimePoint(hours(1)), hours(24 * 365 * 100)), TimePoint(hours(24 * 365 * 100 + 1)));
  EXPECT_EQ(saturating_subtract(TimePoint(hours(1)), TimePoint(hours(3))), hours(-2));
  EXPECT_EQ(saturating_multiply(hours(7), 2), hours(14));
  EXPECT_EQ(saturating_scale(hours(10), 0.5), hours(5));
}

TEST(Saturating, what_is_too_late_for_a_clock_is_never) {
  EXPECT_EQ(saturating_add(TimePoint(hours(1)), for_ever), never);
  EXPECT_EQ(saturating_add(TimePoint(nanoseconds(1)), for_ever), never);
  EXPECT_EQ(saturating_add(TimePoint(nanoseconds(1)), for_ever - nanoseconds(1)), never);
  EXPECT_EQ(saturating_add(for_ever, nanoseconds(1)), for_ever);
  EXPECT_EQ(saturating_add(Duration::min(), nanoseconds(-1)), Duration::min());
}

TEST(Saturating, never_stays_never) { EXPECT_EQ(saturating_add(never, hours(-5)), never); }

TEST(Saturating, a_difference_stays_within_what_a_duration_holds) {
  EXPECT_EQ(saturating_subtract(never, TimePoint::min()), for_ever);
  EXPECT_EQ(saturating_subtract(TimePoint::min(), never), Duration::min());
}

TEST(Saturating, a_product_keeps_its_sign) {
  EXPECT_EQ(saturating_multiply(for_ever, 2), for_ever);
  EXPECT_EQ(saturating_multiply(for_ever, -2), Duration::min());
  EXPECT_EQ(saturating_multiply(Duration::min(), -1), for_ever);
}

TEST(Saturating, a_share_of_all_time_is_a_time) {
  EXPECT_EQ(saturating_scale(for_ever, 1.0), for_ever);
  EXPECT_EQ(saturating_scale(for_ever, 1.2), for_ever);
  EXPECT_EQ(saturating_scale(for_ever, -1.2), Duration::min());
  EXPECT_EQ(saturating_scale(for_ever, std::numeric_limits<double>::quiet_NaN()), Duration::zero());
}

Task<> nap(Context& ctx, Duration d, bool& woke) {
  const Result<void> slept = co_await sleep_for(ctx, d);
  woke = slept.has_value();
}

TEST(Saturating, a_sleep_for_all_time_does_not_end_at_once) {
  Rig rig;
  bool woke = false;
  Context ctx(rig.root);
  rig.go(nap(ctx, for_ever, woke));
  rig.loop.advance(hours(24 * 365));
  EXPECT_FALSE(woke);
  ctx.cancel();
  rig.idle();
}

TEST(Saturating, a_context_whose_deadline_is_beyond_all_time_has_none) {
  Rig rig;
  Context ctx(rig.root, saturating_add(rig.clock.now(), for_ever));
  EXPECT_FALSE(ctx.cancelled());
  EXPECT_FALSE(ctx.deadline().has_value());
}

TEST(Saturating, a_case_of_select_beyond_all_time_is_never_ready) {
  Rig rig;
  EXPECT_EQ(after(rig.loop, for_ever).moment(), never);
}

TEST(Saturating, a_watchdog_with_all_the_time_does_not_expire) {
  Rig rig;
  Watchdog watchdog(rig.root, for_ever, "patient");
  rig.loop.advance(hours(24 * 365));
  EXPECT_FALSE(watchdog.context().cancelled());
}

TEST(Saturating, a_manual_clock_does_not_go_round) {
  ManualClock clock;
  clock.advance(for_ever);
  EXPECT_EQ(clock.now(), never);
}

}  // namespace
}  // namespace belfry
