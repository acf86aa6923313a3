#include "channels/context.hpp"

#include "channels/bell.hpp"
#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

TEST(Context, cancel_flows_down_with_its_cause_and_never_up) {
  Rig rig;
  Context parent(rig.root);
  Context child(parent);
  Context grandchild(child);
  child.cancel(Error::cancelled("stopped by hand"));
  EXPECT_FALSE(rig.root.cancelled());
  EXPECT_FALSE(parent.cancelled());
  ASSERT_TRUE(grandchild.cancelled());
  EXPECT_EQ(grandchild.cause().message(), "stopped by hand");
}

TEST(Context, the_first_cause_stays) {
  Rig rig;
  Context ctx(rig.root);
  ctx.cancel(Error::cancelled("first"));
  ctx.cancel(Error::cancelled("second"));
  EXPECT_EQ(ctx.cause().message(), "first");
}

TEST(Context, a_child_of_a_cancelled_parent_is_cancelled) {
  Rig rig;
  Context parent(rig.root);
  parent.cancel(Error::cancelled("over"));
  Context child(parent);
  EXPECT_TRUE(child.cancelled());
  EXPECT_EQ(child.cause().message(), "over");
  Context with_deadline(parent, rig.clock.now() + seconds(1));
  EXPECT_EQ(with_deadline.cause().message(), "over");
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(Context, a_deadline_cancels_with_its_own_kind) {
  Rig rig;
  Context ctx(rig.root, rig.clock.now() + seconds(5));
  rig.loop.advance(seconds(4));
  EXPECT_FALSE(ctx.cancelled());
  rig.loop.advance(seconds(1));
  ASSERT_TRUE(ctx.cancelled());
  EXPECT_EQ(ctx.cause().kind(), Error::Kind::deadline_exceeded);
}

TEST(Context, a_deadline_in_the_past_cancels_at_once) {
  Rig rig;
  Context ctx(rig.root, rig.clock.now());
  EXPECT_TRUE(ctx.cancelled());
}

TEST(Context, the_earlier_deadline_of_parent_and_child_counts_and_only_it_has_a_timer) {
  Rig rig;
  Context parent(rig.root, rig.clock.now() + seconds(5));
  Context later(parent, rig.clock.now() + seconds(10));
  EXPECT_EQ(later.deadline(), parent.deadline());
  EXPECT_EQ(rig.loop.timers().size(), 1U);
  Context earlier(parent, rig.clock.now() + seconds(1));
  EXPECT_EQ(rig.loop.timers().size(), 2U);
  rig.loop.advance(seconds(2));
  EXPECT_TRUE(earlier.cancelled());
  EXPECT_FALSE(later.cancelled());
  rig.loop.advance(seconds(3));
  EXPECT_TRUE(later.cancelled());
}

TEST(Context, releasing_it_frees_its_timer_at_once) {
  Rig rig;
  {
    Context ctx(rig.root, rig.clock.now() + seconds(5));
    EXPECT_EQ(rig.loop.timers().size(), 1U);
  }
  EXPECT_TRUE(rig.loop.timers().empty());
  Context cancelled(rig.root, rig.clock.now() + seconds(5));
  cancelled.cancel();
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(Context, a_hundred_thousand_generations_are_cancelled_without_a_deep_stack) {
  Rig rig;
  std::vector<std::unique_ptr<Context>> chain;
  chain.push_back(std::make_unique<Context>(rig.root));
  for (int i = 0; i < 100000; ++i) chain.push_back(std::make_unique<Context>(*chain.back()));
  chain.front()->cancel();
  EXPECT_TRUE(chain.back()->cancelled());
  while (!chain.empty()) chain.pop_back();
}

Task<> count_turns_until_cancelled(Context& ctx, int& turns) {
  for (;;) {
    auto slept = co_await sleep_for(ctx, seconds(1));
    if (!slept) co_return;
    ++turns;
  }
}

TEST(Context, it_is_a_level_every_later_wait_ends_at_once) {
  Rig rig;
  Context ctx(rig.root);
  int turns = 0;
  rig.go(count_turns_until_cancelled(ctx, turns));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(turns, 3);
  ctx.cancel();
  rig.idle();
  rig.go(count_turns_until_cancelled(ctx, turns));
  rig.idle();
  EXPECT_EQ(turns, 3);
}

TEST(ContextDeathTest, destroying_it_before_its_child_is_a_bug_that_is_seen) {
  EXPECT_DEATH(
      {
        Rig rig;
        auto parent = std::make_unique<Context>(rig.root);
        Context child(*parent);
        parent.reset();
      },
      "cannot destroy context");
}

}  // namespace
}  // namespace belfry
