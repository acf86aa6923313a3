#include "channels/wakeup.hpp"

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;

Task<> work(Context& ctx, Wakeup& wakeup, int& runs, std::string& end) {
  for (;;) {
    Result<void> woken = co_await wakeup.wait(ctx);
    if (!woken) {
      end = woken.error().text();
      co_return;
    }
    ++runs;
  }
}

TEST(Wakeup, any_number_of_notifies_before_the_worker_looks_are_one) {
  Rig rig;
  Wakeup wakeup(rig.loop);
  Context ctx(rig.root);
  int runs = 0;
  std::string end;
  rig.go(work(ctx, wakeup, runs, end));
  for (int i = 0; i < 5; ++i) wakeup.notify();  // before
  rig.idle();
  EXPECT_EQ(runs, 1);
  for (int i = 0; i < 5; ++i) wakeup.notify();  // while waiting
  rig.idle();
  EXPECT_EQ(runs, 2);
  rig.idle();
  EXPECT_EQ(runs, 2);
  ctx.cancel(Error::cancelled("enough"));
  rig.idle();
  EXPECT_EQ(end, "enough");
}

TEST(Wakeup, a_notify_beats_a_cancel_of_the_same_turn_whichever_came_first) {
  for (bool notify_first : {true, false}) {
    Rig rig;
    Wakeup wakeup(rig.loop);
    Context ctx(rig.root);
    int runs = 0;
    std::string end;
    rig.go(work(ctx, wakeup, runs, end));
    rig.idle();
    if (notify_first) wakeup.notify();
    ctx.cancel();
    if (!notify_first) wakeup.notify();
    rig.idle();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(end, "cancelled");
  }
}

TEST(Wakeup, a_notify_for_nobody_is_kept) {
  Rig rig;
  Wakeup wakeup(rig.loop);
  wakeup.notify();
  EXPECT_TRUE(wakeup.pending());
  EXPECT_TRUE(wakeup.consume());
  EXPECT_FALSE(wakeup.pending());
}

TEST(WakeupDeathTest, a_second_waiter_is_a_bug_that_is_seen) {
  EXPECT_DEATH(
      {
        Rig rig;
        Wakeup wakeup(rig.loop, "metrics");
        int runs = 0;
        std::string end;
        rig.go(work(rig.root, wakeup, runs, end));
        rig.go(work(rig.root, wakeup, runs, end));
        rig.idle();
      },
      "cannot wait for wakeup 'metrics': another task waits already");
}

struct WakeupScenario {
  Loop& loop;
  Context child;
  Wakeup wakeup{loop};
  WaitGroup tasks{loop};
  int runs = 0;
  std::string end;

  WakeupScenario(Loop& l, Context& root) : loop(l), child(root) {
    spawn(tasks, "worker", work(child, wakeup, runs, end));
    spawn(tasks, "notifier", notify(loop, wakeup, child));
  }
  static Task<> notify(Loop& loop, Wakeup& wakeup, Context& child) {
    for (int i = 0; i < 3; ++i) {
      wakeup.notify();
      co_await yield(loop);
    }
    child.cancel();
  }
};

TEST(Wakeup, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<WakeupScenario>(), 4); }

}  // namespace
}  // namespace belfry
