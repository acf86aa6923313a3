#include "channels/sleep.hpp"

#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> nap(Context& ctx, Duration d, std::vector<std::string>& log) {
  Result<void> slept = co_await sleep_for(ctx, d);
  log.push_back(slept ? "slept" : slept.error().text());
}

TEST(Sleep, ends_at_its_time_and_not_before) {
  Rig rig;
  std::vector<std::string> log;
  rig.go(nap(rig.root, seconds(5), log));
  rig.loop.advance(seconds(5) - std::chrono::nanoseconds(1));
  EXPECT_TRUE(log.empty());
  rig.loop.advance(std::chrono::nanoseconds(1));
  EXPECT_EQ(log, (std::vector<std::string>{"slept"}));
}

TEST(Sleep, a_time_in_the_past_does_not_suspend) {
  Rig rig;
  auto sleep = sleep_until(rig.root, rig.clock.now());
  EXPECT_TRUE(sleep.await_ready());
  EXPECT_TRUE(sleep.await_resume().has_value());
}

TEST(Sleep, a_cancel_ends_it_and_frees_the_timer) {
  Rig rig;
  std::vector<std::string> log;
  Context ctx(rig.root);
  rig.go(nap(ctx, seconds(5), log));
  rig.idle();
  EXPECT_EQ(rig.loop.timers().size(), 1U);
  ctx.cancel(Error::cancelled("get up"));
  EXPECT_TRUE(rig.loop.timers().empty());
  rig.idle();
  rig.go(nap(ctx, seconds(5), log));
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"get up", "get up"}));
}

TEST(Sleep, the_alarm_beats_a_cancel_of_the_same_turn) {
  Rig rig;
  std::vector<std::string> log;
  Context ctx(rig.root);
  Timer canceller(rig.loop);
  rig.go(nap(ctx, seconds(5), log));
  rig.idle();
  canceller.arm(rig.clock.now() + seconds(5), [&ctx] { ctx.cancel(); });
  rig.loop.advance(seconds(5));
  EXPECT_EQ(log, (std::vector<std::string>{"slept"}));
}

struct SleepScenario {
  Context child;
  WaitGroup tasks;
  std::vector<std::string> log;
  SleepScenario(Loop& loop, Context& root) : child(root, loop.now() + seconds(2)), tasks(loop) {
    spawn(tasks, "short", nap(child, seconds(1), log));
    spawn(tasks, "long", nap(child, seconds(3), log));
    spawn(tasks, "longer", nap(root, seconds(4), log));
  }
};

TEST(Sleep, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<SleepScenario>(), 4); }

}  // namespace
}  // namespace belfry
