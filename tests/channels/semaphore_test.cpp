#include "channels/semaphore.hpp"

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> hold(Context& ctx, Semaphore& semaphore, std::size_t weight, Duration for_how_long, std::string name,
            std::string& log) {
  Result<Permit> permit = co_await semaphore.acquire(ctx, weight);
  if (!permit) {
    log += name + ":" + permit.error().text() + ";";
    co_return;
  }
  log += name + "+;";
  (void)co_await sleep_for(ctx, for_how_long);
  log += name + "-;";
}

TEST(Semaphore, lets_in_as_much_as_fits_first_come_first_served) {
  Rig rig;
  std::string log;
  Semaphore semaphore(rig.loop, 2, "probes");
  for (const char* name : {"a", "b", "c"}) rig.go(hold(rig.root, semaphore, 1, seconds(1), name, log));
  rig.idle();
  EXPECT_EQ(log, "a+;b+;");
  EXPECT_EQ(semaphore.waiting(), 1U);
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "a+;b+;a-;b-;c+;");
  rig.loop.advance(seconds(1));
  EXPECT_EQ(semaphore.available(), 2U);
}

TEST(Semaphore, a_large_request_at_the_head_is_not_overtaken) {
  Rig rig;
  std::string log;
  Semaphore semaphore(rig.loop, 3, "probes");
  rig.go(hold(rig.root, semaphore, 2, seconds(1), "two", log));
  rig.go(hold(rig.root, semaphore, 3, seconds(1), "three", log));
  rig.go(hold(rig.root, semaphore, 1, seconds(1), "one", log));
  rig.idle();
  EXPECT_EQ(log, "two+;");
  EXPECT_FALSE(semaphore.try_acquire(1)) << "not even by those who only try";
  rig.loop.advance(seconds(3));
  EXPECT_EQ(log, "two+;two-;three+;three-;one+;one-;");
}

TEST(Semaphore, a_cancelled_head_makes_room_for_those_behind_it) {
  Rig rig;
  std::string log;
  Semaphore semaphore(rig.loop, 3, "probes");
  Context impatient(rig.root, rig.clock.now() + seconds(1));
  rig.go(hold(rig.root, semaphore, 2, seconds(5), "two", log));
  rig.go(hold(impatient, semaphore, 3, seconds(1), "three", log));
  rig.go(hold(rig.root, semaphore, 1, seconds(1), "one", log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "two+;three:deadline exceeded;one+;");
  rig.loop.advance(seconds(9));
}

TEST(Semaphore, what_was_handed_over_is_not_lost_to_a_cancel_of_the_same_turn) {
  Rig rig;
  std::string log;
  Semaphore semaphore(rig.loop, 1, "probes");
  Context ctx(rig.root);
  std::optional<Permit> held = semaphore.try_acquire();
  ASSERT_TRUE(held);
  rig.go(hold(ctx, semaphore, 1, seconds(1), "waiter", log));
  rig.idle();
  held.reset();  // handed over
  ctx.cancel();  // too late
  rig.idle();
  EXPECT_EQ(log, "waiter+;waiter-;") << "it took the unit, and its next wait saw the cancel";
  EXPECT_EQ(semaphore.available(), 1U);
}

TEST(Semaphore, more_than_there_is_is_an_error_at_once) {
  Rig rig;
  std::string log;
  Semaphore semaphore(rig.loop, 2, "probes");
  rig.go(hold(rig.root, semaphore, 3, seconds(1), "x", log));
  rig.idle();
  EXPECT_EQ(log, "x:cannot acquire from semaphore 'probes': more units than it has;");
}

TEST(Semaphore, a_cancelled_context_acquires_nothing) {
  Rig rig;
  std::string log;
  Semaphore semaphore(rig.loop, 1, "probes");
  Context ctx(rig.root);
  ctx.cancel();
  rig.go(hold(ctx, semaphore, 1, seconds(1), "x", log));
  rig.idle();
  EXPECT_EQ(log, "x:cancelled;");
  EXPECT_EQ(semaphore.available(), 1U);
}

TEST(Semaphore, permits_move) {
  Rig rig;
  Semaphore semaphore(rig.loop, 2, "probes");
  Permit a = *semaphore.try_acquire();
  Permit b = std::move(a);
  EXPECT_EQ(semaphore.available(), 1U);
  a = *semaphore.try_acquire();
  b = std::move(a);
  EXPECT_EQ(semaphore.available(), 1U);
  EXPECT_EQ(b.weight(), 1U);
}

TEST(SemaphoreDeathTest, a_permit_that_outlives_its_semaphore_is_a_bug_that_is_seen) {
  EXPECT_DEATH(
      {
        Rig rig;
        Permit permit;
        Semaphore semaphore(rig.loop, 2, "probes");
        permit = *semaphore.try_acquire();
      },
      "cannot destroy semaphore 'probes': a permit has not been given back");
}

struct SemaphoreScenario {
  std::string log;
  Semaphore semaphore;
  WaitGroup tasks;
  Context child;
  SemaphoreScenario(Loop& loop, Context& root)
      : semaphore(loop, 2, "s"), tasks(loop), child(root, loop.now() + seconds(1)) {
    spawn(tasks, "a", hold(root, semaphore, 2, seconds(1), "a", log));
    spawn(tasks, "b", hold(child, semaphore, 2, seconds(1), "b", log));
    spawn(tasks, "c", hold(root, semaphore, 1, seconds(1), "c", log));
    spawn(tasks, "d", hold(root, semaphore, 1, seconds(2), "d", log));
  }
};

TEST(Semaphore, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<SemaphoreScenario>(), 4);
}

}  // namespace
}  // namespace belfry
