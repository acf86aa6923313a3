// For ever is for ever: a time that is too late for a clock is "never", and not "long ago".
#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/watchdog.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;
constexpr auto years = std::chrono::hours(24 * 365);

Task<> nap(Context& ctx, Duration d, std::string& log) {
  Result<void> slept = co_await sleep_for(ctx, d);
  log += slept ? "slept;" : slept.error().text() + ";";
}
Task<> nap_until(Context& ctx, TimePoint when, std::string& log) {
  Result<void> slept = co_await sleep_until(ctx, when);
  log += slept ? "slept;" : slept.error().text() + ";";
}

// What `now + Duration::max()` makes without the operator of this library; written so that it is defined.
TimePoint run_over(TimePoint now) {
  const auto sum = static_cast<std::uint64_t>(now.time_since_epoch().count()) +
                   static_cast<std::uint64_t>(Duration::max().count());
  return TimePoint(Duration(static_cast<std::int64_t>(sum)));
}

TEST(ForEver, a_sleep_without_end_ends_only_by_a_cancel) {
  Rig rig;
  std::string log;
  Context ctx(rig.root);
  rig.go(nap(ctx, Duration::max(), log));
  rig.go(nap(ctx, Duration::max() - seconds(1), log));
  rig.go(nap_until(ctx, TimePoint::max(), log));
  rig.go(nap_until(ctx, run_over(rig.clock.now()), log));
  rig.idle();
  rig.loop.advance(100 * years);
  EXPECT_EQ(log, "");
  EXPECT_TRUE(rig.loop.timers().empty()) << "for what never comes the kernel is not asked";
  ctx.cancel();
  rig.idle();
  EXPECT_EQ(log, "cancelled;cancelled;cancelled;cancelled;");
}

TEST(ForEver, a_context_with_a_deadline_beyond_time_has_none) {
  Rig rig;
  Context added(rig.root, rig.clock.now() + Duration::max());
  Context over(rig.root, run_over(rig.clock.now()));
  Context end(rig.root, TimePoint::max());
  rig.loop.advance(100 * years);
  for (const Context* ctx : {&added, &over, &end}) {
    EXPECT_FALSE(ctx->cancelled());
    EXPECT_FALSE(ctx->deadline().has_value());
  }
}

TEST(ForEver, a_watchdog_without_an_interval_never_expires_and_may_be_given_one) {
  Rig rig;
  Watchdog watchdog(rig.root, Duration::max(), "etcd stream");
  rig.loop.advance(100 * years);
  EXPECT_FALSE(watchdog.expired());
  watchdog.kick();
  watchdog.set_interval(seconds(3));
  rig.loop.advance(seconds(2));
  EXPECT_FALSE(watchdog.expired());
  watchdog.set_interval(Duration::max());
  rig.loop.advance(seconds(9));
  EXPECT_FALSE(watchdog.expired());
  watchdog.set_interval(seconds(20));
  rig.loop.advance(seconds(9));
  EXPECT_TRUE(watchdog.expired());
}

TEST(ForEver, a_watchdog_that_was_stopped_stays_so_whatever_its_interval) {
  Rig rig;
  Watchdog watchdog(rig.root, Duration::max(), "etcd stream");
  watchdog.stop();
  watchdog.set_interval(seconds(1));
  rig.loop.advance(seconds(9));
  EXPECT_FALSE(watchdog.expired());
}

TEST(ForEver, a_timer_and_a_case_beyond_time_are_never_due) {
  Rig rig;
  bool fired = false;
  Timer timer(rig.loop);
  timer.arm(rig.clock.now() + Duration::max(), [&fired] { fired = true; });
  EXPECT_FALSE(timer.armed());
  timer.arm(rig.clock.now() + seconds(1), [&fired] { fired = true; });
  timer.arm(TimePoint::max(), [&fired] { fired = true; });
  auto late = after(rig.loop, Duration::max());
  auto over = at(rig.loop, run_over(rig.clock.now()));
  auto none = otherwise();
  auto wait = select(rig.root, late, over, none);
  ASSERT_TRUE(wait.await_ready());
  EXPECT_EQ(wait.await_resume(), 2U);
  rig.loop.advance(100 * years);
  EXPECT_FALSE(fired);
}

TEST(ForEver, advancing_a_clock_to_the_end_of_time_comes_to_its_end) {
  Rig rig;
  std::string log;
  rig.go(nap(rig.root, seconds(5), log));
  rig.loop.advance(Duration::max());
  EXPECT_EQ(log, "slept;");
  EXPECT_EQ(rig.loop.now(), TimePoint::max());
}

TEST(ForEver, a_moment_long_ago_is_not_taken_for_one_that_never_comes) {
  Rig rig;
  std::string log;
  rig.go(nap_until(rig.root, TimePoint::min(), log));
  rig.go(nap_until(rig.root, TimePoint{} - seconds(100), log));
  rig.go(nap(rig.root, Duration::min(), log));
  Context past(rig.root, TimePoint::min());
  rig.idle();
  EXPECT_EQ(log, "slept;slept;slept;");
  EXPECT_TRUE(past.cancelled());
}

TEST(ForEver, a_real_loop_with_nothing_but_a_sleep_without_end_is_asleep) {
  Loop loop;
  Context root(loop);
  Context ctx(root);
  std::string log;
  WaitGroup group(loop);
  spawn(group, "sleeper", nap(ctx, Duration::max(), log));
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  ctx.cancel();
  EXPECT_EQ(loop.run(), RunEnd::finished);
  EXPECT_EQ(log, "cancelled;");
}

}  // namespace
}  // namespace belfry
