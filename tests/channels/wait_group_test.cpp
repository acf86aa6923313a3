#include "channels/wait_group.hpp"

#include <stdexcept>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> await_group(Context& ctx, WaitGroup& group, std::vector<std::string>& log) {
  Result<void> done = co_await group.wait(ctx);
  log.push_back(done ? "zero" : done.error().text());
}
Task<> nap(Context& ctx, Duration d) { (void)co_await sleep_for(ctx, d); }
Task<> fail(Context&) {
  throw std::runtime_error("boom");
  co_return;
}

TEST(WaitGroup, waiters_go_on_at_zero) {
  Rig rig;
  WaitGroup group(rig.loop);
  std::vector<std::string> log;
  group.add(2);
  rig.go(await_group(rig.root, group, log));
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  group.done();
  rig.idle();
  EXPECT_TRUE(log.empty());
  group.done();
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"zero", "zero"}));
}

TEST(WaitGroup, an_empty_one_does_not_make_anybody_wait_and_wait_may_be_repeated) {
  Rig rig;
  WaitGroup group(rig.loop);
  for (int i = 0; i < 2; ++i) {
    auto wait = group.wait(rig.root);
    EXPECT_TRUE(wait.await_ready());
    EXPECT_TRUE(wait.await_resume().has_value());
  }
}

TEST(WaitGroup, counting_up_again_does_not_hold_those_who_were_released) {
  Rig rig;
  WaitGroup group(rig.loop);
  std::vector<std::string> log;
  group.add();
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  group.done();
  group.add();
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"zero"}));
  group.done();
}

TEST(WaitGroup, spawned_tasks_are_counted_for_as_long_as_they_run) {
  Rig rig;
  WaitGroup group(rig.loop);
  spawn(group, "a", nap(rig.root, seconds(1)));
  spawn(group, "b", nap(rig.root, seconds(3)));
  EXPECT_EQ(group.count(), 2U);
  rig.loop.advance(seconds(2));
  EXPECT_EQ(group.count(), 1U);
  rig.loop.advance(seconds(1));
  EXPECT_EQ(group.count(), 0U);
}

TEST(WaitGroup, the_first_exception_of_a_task_reaches_those_who_wait) {
  Rig rig;
  WaitGroup group(rig.loop);
  std::vector<std::string> log;
  spawn(group, "bad", fail(rig.root));
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"task 'bad' threw: boom"}));
}

TEST(WaitGroup, a_cancelled_wait_gives_up_alone_and_zero_beats_a_cancel_of_the_same_turn) {
  Rig rig;
  WaitGroup group(rig.loop);
  std::vector<std::string> log;
  Context first(rig.root);
  Context second(rig.root);
  group.add();
  rig.go(await_group(first, group, log));
  rig.go(await_group(second, group, log));
  rig.idle();
  first.cancel();
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled"}));
  group.done();
  second.cancel();
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled", "zero"}));
}

TEST(WaitGroupDeathTest, going_below_zero_names_the_group) {
  EXPECT_DEATH(
      {
        Rig rig;
        WaitGroup group(rig.loop, "shutdown");
        group.done();
      },
      "cannot count down wait group 'shutdown': its count is zero already");
}

TEST(WaitGroupDeathTest, waiting_for_it_in_one_of_its_own_tasks_names_the_group) {
  EXPECT_DEATH(
      {
        Rig rig;
        WaitGroup group(rig.loop, "shutdown");
        std::vector<std::string> log;
        spawn(group, "waiter", await_group(rig.root, group, log));
        rig.idle();
      },
      "cannot wait for wait group 'shutdown': by one of its own tasks");
}

TEST(WaitGroupDeathTest, destroying_it_above_zero_names_the_group) {
  EXPECT_DEATH(
      {
        Rig rig;
        WaitGroup group(rig.loop, "shutdown");
        group.add();
      },
      "cannot destroy wait group 'shutdown': its count is not zero");
}

struct GroupScenario {
  Loop& loop;
  Context child;
  WaitGroup group{loop};
  WaitGroup tasks{loop};
  std::vector<std::string> log;

  GroupScenario(Loop& l, Context& root) : loop(l), child(root) {
    spawn(group, "a", nap(root, seconds(1)));
    spawn(group, "b", nap(root, seconds(2)));
    spawn(tasks, "waiter", await_group(root, group, log));
    spawn(tasks, "impatient", await_group(child, group, log));
    spawn(tasks, "canceller", cancel(root, child));
  }
  static Task<> cancel(Context& ctx, Context& child) {
    (void)co_await sleep_for(ctx, seconds(1));
    child.cancel();
  }
};

TEST(WaitGroup, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<GroupScenario>(), 4);
}

}  // namespace
}  // namespace belfry
