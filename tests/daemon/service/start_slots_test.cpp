// limits: {parallel_starts: N}.
#include "daemon/service/start_slots.hpp"

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

class ParallelStarts : public Rig {
 public:
  std::size_t starting() const {
    std::size_t count = 0;
    for (const auto& s : supervisor->services()) count += s->state() == State::starting ? 1U : 0U;
    return count;
  }
};

TEST_F(ParallelStarts, no_more_than_the_limit_start_at_once_and_all_get_their_turn) {
  stack.parallel_starts = 2;
  for (const char* name : {"a", "b", "c", "d", "e"}) speaking(daemon(name));
  up();
  EXPECT_EQ(starting(), 2U);
  EXPECT_EQ(waiting_for(service("c")), std::vector{"one of 2 starting services"s});
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    ASSERT_EQ(state(name), State::starting);
    say_ready(name);
    EXPECT_LE(starting(), 2U);
  }
  EXPECT_TRUE(supervisor->stack_ready());
}

TEST_F(ParallelStarts, a_failed_start_gives_its_slot_back) {
  stack.parallel_starts = 1;
  speaking(daemon("a")).restart->policy = config::RestartPolicy::no;
  speaking(daemon("b"));
  up();
  ASSERT_EQ(state("b"), State::waiting);
  end("a", 1);
  EXPECT_EQ(state("b"), State::starting);
}

TEST_F(ParallelStarts, who_is_stopped_while_it_waits_for_a_slot_lets_the_next_one_pass) {
  stack.parallel_starts = 1;
  for (const char* name : {"a", "b", "c"}) speaking(daemon(name));
  up();
  command(ServiceCommand::stop, "b");
  say_ready("a");
  EXPECT_EQ(state("b"), State::inactive);
  EXPECT_EQ(state("c"), State::starting);
}

TEST_F(ParallelStarts, a_slot_is_not_kept_for_somebody_whose_dependency_has_gone) {
  stack.parallel_starts = 1;
  config::Service& db = speaking(daemon("db"));
  db.restart->delay = 1h;
  speaking(daemon("a"));
  speaking(daemon("api", {"db"}));
  speaking(daemon("z"));
  up();
  say_ready("db");  // `a` has the slot now, and `api` waits for one
  ASSERT_EQ(state("a"), State::starting);
  end("db", 1);
  say_ready("a");
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_EQ(state("z"), State::starting);
}

TEST_F(ParallelStarts, gates_take_no_slot) {
  stack.parallel_starts = 1;
  speaking(daemon("a"));
  gate("g");
  up();
  EXPECT_EQ(state("g"), State::ready);
}

// --- the share of time

class Called {
 public:
  explicit Called(Loop& loop) : wakeup(loop, "called") {}
  bool is_called() { return wakeup.consume(); }
  Wakeup wakeup;
};

TEST(StartShare, who_comes_when_it_is_used_up_is_called_after_the_next_turn) {
  ManualClock clock;
  Loop loop(clock);
  daemon::StartSlots slots(loop, 0);
  Called first(loop), second(loop), third(loop);
  EXPECT_TRUE(slots.has_time_for(first.wakeup));
  EXPECT_TRUE(slots.take(first.wakeup));
  clock.advance(daemon::StartSlots::share);
  EXPECT_FALSE(slots.has_time_for(second.wakeup));
  EXPECT_FALSE(slots.has_time_for(third.wakeup));
  EXPECT_FALSE(second.is_called());
  loop.run_until_idle();
  EXPECT_TRUE(second.is_called());
  EXPECT_FALSE(third.is_called());  // by whoever is before it
  EXPECT_TRUE(slots.has_time_for(second.wakeup));
  EXPECT_TRUE(slots.take(second.wakeup));
  EXPECT_TRUE(third.is_called());
}

TEST(StartShare, who_was_called_and_cannot_start_any_more_passes_the_call_on) {
  ManualClock clock;
  Loop loop(clock);
  daemon::StartSlots slots(loop, 0);
  Called first(loop), second(loop), third(loop);
  EXPECT_TRUE(slots.has_time_for(first.wakeup));
  clock.advance(daemon::StartSlots::share);
  EXPECT_FALSE(slots.has_time_for(second.wakeup));
  EXPECT_FALSE(slots.has_time_for(third.wakeup));
  loop.run_until_idle();
  slots.forget(second.wakeup);
  EXPECT_TRUE(third.is_called());
}

TEST(StartShare, is_whole_again_when_nobody_wanted_it_for_a_turn) {
  ManualClock clock;
  Loop loop(clock);
  daemon::StartSlots slots(loop, 0);
  Called first(loop), second(loop);
  EXPECT_TRUE(slots.has_time_for(first.wakeup));
  clock.advance(daemon::StartSlots::share * 10);
  loop.run_until_idle();
  EXPECT_TRUE(slots.has_time_for(second.wakeup));
}

}  // namespace
}  // namespace belfry::testing
