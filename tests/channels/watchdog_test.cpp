#include "channels/watchdog.hpp"

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

TEST(Watchdog, silence_cancels_the_context_with_the_name_in_the_cause) {
  Rig rig;
  Watchdog watchdog(rig.root, seconds(3), "etcd stream");
  rig.loop.advance(seconds(2));
  EXPECT_FALSE(watchdog.expired());
  rig.loop.advance(seconds(1));
  EXPECT_TRUE(watchdog.expired());
  ASSERT_TRUE(watchdog.context().cancelled());
  EXPECT_EQ(watchdog.context().cause().text(), "watchdog 'etcd stream': silent for too long");
  EXPECT_EQ(watchdog.context().cause().kind(), Error::Kind::deadline_exceeded);
  EXPECT_FALSE(rig.root.cancelled());
}

TEST(Watchdog, every_sign_of_life_starts_the_count_anew) {
  Rig rig;
  Watchdog watchdog(rig.root, seconds(3), "stream");
  for (int i = 0; i < 10; ++i) {
    rig.loop.advance(seconds(2));
    watchdog.kick();
  }
  EXPECT_FALSE(watchdog.expired());
  rig.loop.advance(seconds(3) - std::chrono::nanoseconds(1));
  EXPECT_FALSE(watchdog.expired());
  rig.loop.advance(std::chrono::nanoseconds(1));
  EXPECT_TRUE(watchdog.expired());
}

TEST(Watchdog, the_interval_may_change) {
  Rig rig;
  Watchdog watchdog(rig.root, seconds(3), "stream");
  watchdog.set_interval(seconds(10));
  rig.loop.advance(seconds(5));
  EXPECT_FALSE(watchdog.expired());
  watchdog.set_interval(seconds(1));
  rig.idle();
  EXPECT_TRUE(watchdog.expired()) << "it has been silent for five seconds";
}

TEST(Watchdog, stopping_it_or_cancelling_the_parent_keeps_it_from_biting) {
  Rig rig;
  Context parent(rig.root);
  Watchdog stopped(rig.root, seconds(1), "stopped");
  Watchdog cancelled(parent, seconds(1), "cancelled");
  stopped.stop();
  parent.cancel();
  rig.loop.advance(seconds(5));
  EXPECT_FALSE(stopped.expired());
  EXPECT_FALSE(cancelled.expired());
  EXPECT_EQ(cancelled.context().cause().kind(), Error::Kind::cancelled);
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(Watchdog, a_busy_stream_moves_no_timer) {
  Rig rig;
  Watchdog watchdog(rig.root, seconds(3), "stream");
  const auto armed = rig.loop.timers().earliest();
  for (int i = 0; i < 1000; ++i) watchdog.kick();
  EXPECT_EQ(rig.loop.timers().earliest(), armed);
}

struct WatchdogScenario {
  Watchdog watchdog;
  WaitGroup tasks;
  WatchdogScenario(Loop& loop, Context& root) : watchdog(root, seconds(3), "stream"), tasks(loop) {
    spawn(tasks, "stream", stream(root, watchdog));
    spawn(tasks, "watched", watched(watchdog));
  }
  static Task<> stream(Context& ctx, Watchdog& watchdog) {
    for (int i = 0; i < 3; ++i) {
      (void)co_await sleep_for(ctx, seconds(2));
      watchdog.kick();
    }
  }
  static Task<> watched(Watchdog& watchdog) { (void)co_await sleep_for(watchdog.context(), seconds(3600)); }
};

TEST(Watchdog, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<WatchdogScenario>(), 5);
}

}  // namespace
}  // namespace belfry
