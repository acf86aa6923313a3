#include "channels/bell.hpp"

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> listen(Context& ctx, Listener<> listener, std::vector<Outcome>& log) {
  Outcome outcome = co_await listener.wait(ctx);
  log.push_back(outcome);
}

TEST(Bell, ringing_releases_everybody_who_waits) {
  Rig rig;
  Bell<> bell(rig.loop, "db.ready");
  std::vector<Outcome> log;
  for (int i = 0; i < 3; ++i) rig.go(listen(rig.root, bell.listener(), log));
  rig.idle();
  EXPECT_TRUE(log.empty());

  EXPECT_TRUE(bell.ring());
  EXPECT_TRUE(log.empty()) << "nobody is resumed from inside ring()";
  rig.idle();

  ASSERT_EQ(log.size(), 3U);
  for (const Outcome& outcome : log) EXPECT_TRUE(outcome.rung());
  EXPECT_EQ(log[0].at, bell.at());
}

TEST(Bell, late_listener_passes_without_suspending) {
  Rig rig;
  Bell<> bell(rig.loop, "db.ready");
  bell.ring();
  auto wait = bell.wait(rig.root);
  EXPECT_TRUE(wait.await_ready());
  EXPECT_TRUE(wait.await_resume().rung());
}

TEST(Bell, ringing_twice_is_harmless_and_the_first_time_stays) {
  Rig rig;
  Bell<int> bell(rig.loop, "answer");
  EXPECT_TRUE(bell.ring(42));
  const TimePoint first = bell.at();
  rig.clock.advance(seconds(1));
  EXPECT_FALSE(bell.ring(43));
  EXPECT_FALSE(bell.never(Error::closed()));
  EXPECT_EQ(bell.value(), 42);
  EXPECT_EQ(bell.at(), first);
}

TEST(Bell, never_releases_waiters_with_the_cause) {
  Rig rig;
  Bell<> bell(rig.loop, "db.ready");
  std::vector<Outcome> log;
  rig.go(listen(rig.root, bell.listener(), log));
  rig.idle();
  EXPECT_TRUE(bell.never(Error(Error::Kind::failed, "exited with code 3")));
  EXPECT_FALSE(bell.ring());
  rig.idle();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0].kind, Outcome::Kind::never);
  EXPECT_EQ(log[0].cause.message(), "exited with code 3");
  EXPECT_FALSE(bell.rung());
  EXPECT_TRUE(bell.ended());
}

TEST(Bell, a_cancelled_wait_leaves_the_bell_alone) {
  Rig rig;
  Bell<> bell(rig.loop, "db.ready");
  std::vector<Outcome> log;
  Context child(rig.root);
  rig.go(listen(child, bell.listener(), log));
  rig.go(listen(rig.root, bell.listener(), log));
  rig.idle();
  child.cancel(Error::cancelled("stop"));
  rig.idle();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0].kind, Outcome::Kind::cancelled);
  EXPECT_EQ(log[0].cause.message(), "stop");
  EXPECT_FALSE(bell.ended());
  bell.ring();
  rig.idle();
  ASSERT_EQ(log.size(), 2U);
  EXPECT_TRUE(log[1].rung());
}

TEST(Bell, a_ring_beats_a_cancel_of_the_same_turn_whichever_came_first) {
  for (bool ring_first : {true, false}) {
    Rig rig;
    Bell<> bell(rig.loop, "db.ready");
    std::vector<Outcome> log;
    Context child(rig.root);
    rig.go(listen(child, bell.listener(), log));
    rig.idle();
    if (ring_first) bell.ring();
    child.cancel();
    if (!ring_first) bell.ring();
    rig.idle();
    ASSERT_EQ(log.size(), 1U);
    EXPECT_TRUE(log[0].rung()) << "ring_first=" << ring_first;
  }
}

TEST(Bell, a_wait_on_a_cancelled_context_still_takes_a_rung_bell) {
  Rig rig;
  Bell<> rung(rig.loop, "rung");
  Bell<> silent(rig.loop, "silent");
  rung.ring();
  Context child(rig.root);
  child.cancel();
  std::vector<Outcome> log;
  rig.go(listen(child, rung.listener(), log));
  rig.go(listen(child, silent.listener(), log));
  rig.idle();
  ASSERT_EQ(log.size(), 2U);
  EXPECT_TRUE(log[0].rung());
  EXPECT_TRUE(log[1].cancelled());
}

Task<> see_what_was_written(Context& ctx, Listener<> listener, const int& written, int& seen) {
  Outcome outcome = co_await listener.wait(ctx);
  if (outcome) seen = written;
}

TEST(Bell, what_was_written_before_the_ring_is_seen_after_the_wait) {
  Rig rig;
  Bell<> bell(rig.loop, "config.loaded");
  int written = 0;  // NOLINT(clang-analyzer-deadcode.DeadStores): the task reads it by reference
  int seen = 0;
  rig.go(see_what_was_written(rig.root, bell.listener(), written, seen));
  rig.idle();
  written = 7;  // NOLINT(clang-analyzer-deadcode.DeadStores): so it does this
  bell.ring();
  rig.idle();
  EXPECT_EQ(seen, 7);
}

TEST(BellDeathTest, destroying_a_bell_with_a_waiter_names_the_bell) {
  EXPECT_DEATH(
      {
        Rig rig;
        std::vector<Outcome> log;
        Bell<> bell(rig.loop, "db.ready");
        rig.go(listen(rig.root, bell.listener(), log));
        rig.idle();
      },
      "cannot destroy bell 'db.ready': a task still waits for it");
}

TEST(BellDeathTest, destroying_a_bell_before_a_released_waiter_resumed_names_the_bell) {
  EXPECT_DEATH(
      {
        Rig rig;
        std::vector<Outcome> log;
        Bell<> bell(rig.loop, "db.ready");
        rig.go(listen(rig.root, bell.listener(), log));
        rig.idle();
        bell.ring();
      },
      "cannot destroy bell 'db.ready': a task it released has not resumed yet");
}

struct BellScenario {
  Loop& loop;
  Bell<> bell{loop, "scenario"};
  Bell<> second{loop, "second"};
  WaitGroup tasks{loop};
  std::vector<Outcome> log;
  Context child;

  BellScenario(Loop& l, Context& root) : loop(l), child(root) {
    for (int i = 0; i < 3; ++i) spawn(tasks, "listener", listen(root, bell.listener(), log));
    spawn(tasks, "cancelled", listen(child, second.listener(), log));
    spawn(tasks, "ringer", ring(bell.ringer(), child, loop));
  }
  static Task<> ring(Ringer<> ringer, Context& child, Loop& loop) {
    co_await yield(loop);
    child.cancel();
    ringer.ring();
  }
};

TEST(Bell, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<BellScenario>(), 4); }

TEST(Bell, is_small) { EXPECT_LE(sizeof(Bell<>), 64U); }

}  // namespace
}  // namespace belfry
