#include "channels/select.hpp"

#include <array>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

struct Things {
  explicit Things(Rig& rig) : loop(rig.loop), ctx(rig.root) {}
  Loop& loop;
  Context ctx;
  Bell<> bell{loop, "bell"};
  Wakeup wakeup{loop};
  std::vector<std::size_t> log;
};

Task<> select_once(Things& things, TimePoint deadline) {
  auto rung = on(things.bell.listener());
  auto woken = on(things.wakeup);
  auto late = at(things.loop, deadline);
  const std::size_t which = co_await select(things.ctx, rung, woken, late);
  things.log.push_back(which);
}

TEST(Select, what_is_ready_before_is_taken_without_suspending) {
  Rig rig;
  Things things(rig);
  things.bell.ring();
  auto rung = on(things.bell);
  auto woken = on(things.wakeup);
  auto wait = select(things.ctx, rung, woken);
  EXPECT_TRUE(wait.await_ready());
  EXPECT_EQ(wait.await_resume(), 0U);
}

TEST(Select, each_kind_of_case_wakes_it) {
  Rig rig;
  Things things(rig);
  const TimePoint deadline = rig.clock.now() + seconds(5);
  rig.go(select_once(things, deadline));
  rig.idle();
  things.wakeup.notify();
  rig.idle();
  rig.go(select_once(things, deadline));
  rig.loop.advance(seconds(5));
  rig.go(select_once(things, rig.clock.now() + seconds(1)));
  rig.idle();
  things.bell.ring();
  rig.idle();
  rig.go(select_once(things, rig.clock.now() + seconds(1)));
  things.ctx.cancel();
  rig.idle();
  EXPECT_EQ(things.log, (std::vector<std::size_t>{1, 2, 0, 0}));
  EXPECT_TRUE(rig.loop.timers().empty()) << "losers are left as they were";
}

TEST(Select, a_cancelled_context_ends_it) {
  Rig rig;
  Things things(rig);
  rig.go(select_once(things, rig.clock.now() + seconds(5)));
  rig.idle();
  things.ctx.cancel();
  rig.idle();
  rig.go(select_once(things, rig.clock.now() + seconds(5)));
  rig.idle();
  EXPECT_EQ(things.log, (std::vector<std::size_t>{select_cancelled, select_cancelled}));
}

TEST(Select, a_ready_case_beats_a_cancel_of_the_same_turn_whichever_came_first) {
  for (bool ring_first : {true, false}) {
    Rig rig;
    Things things(rig);
    rig.go(select_once(things, rig.clock.now() + seconds(5)));
    rig.idle();
    if (ring_first) things.bell.ring();
    things.ctx.cancel();
    if (!ring_first) things.bell.ring();
    rig.idle();
    EXPECT_EQ(things.log, (std::vector<std::size_t>{0}));
  }
}

TEST(Select, losers_are_untouched) {
  Rig rig;
  Things things(rig);
  rig.go(select_once(things, rig.clock.now() + seconds(5)));
  rig.idle();
  things.wakeup.notify();
  things.bell.ring();
  rig.idle();
  ASSERT_EQ(things.log.size(), 1U);
  EXPECT_EQ(things.wakeup.pending(), things.log[0] != 1) << "only the winner is consumed";
}

TEST(Select, is_fair_among_ready_cases) {
  Rig rig;
  std::array<int, 3> wins{};
  Bell<> a(rig.loop, "a");
  Bell<> b(rig.loop, "b");
  Bell<> c(rig.loop, "c");
  a.ring();
  b.ring();
  c.ring();
  auto one = on(a);
  auto two = on(b);
  auto three = on(c);
  for (int i = 0; i < 3000; ++i) {
    auto wait = select(rig.root, one, two, three);
    ASSERT_TRUE(wait.await_ready());
    ++wins.at(wait.await_resume());
  }
  for (int won : wins) EXPECT_GT(won, 850);
}

TEST(Select, otherwise_does_not_wait_but_a_cancelled_context_comes_first) {
  Rig rig;
  Bell<> bell(rig.loop, "bell");
  Context ctx(rig.root);
  auto rung = on(bell);
  auto none = otherwise();
  {
    auto wait = select(ctx, rung, none);
    EXPECT_TRUE(wait.await_ready());
    EXPECT_EQ(wait.await_resume(), 1U);
  }
  ctx.cancel();
  {
    auto wait = select(ctx, rung, none);
    EXPECT_TRUE(wait.await_ready());
    EXPECT_EQ(wait.await_resume(), select_cancelled);
  }
  bell.ring();
  auto wait = select(ctx, rung, none);
  EXPECT_TRUE(wait.await_ready());
  EXPECT_EQ(wait.await_resume(), 0U);
}

TEST(Select, another_context_can_be_a_case_again_and_again) {
  Rig rig;
  Context other(rig.root);
  std::vector<std::size_t> log;
  struct Body {
    static Task<> run(Context& ctx, Context& other, std::vector<std::size_t>& log) {
      auto gone = on(other);
      auto never_ready = never();
      for (int i = 0; i < 2; ++i) {
        const std::size_t which = co_await select(ctx, never_ready, gone);
        log.push_back(which);
      }
    }
  };
  rig.go(Body::run(rig.root, other, log));
  rig.idle();
  other.cancel();
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::size_t>{1, 1}));
}

// Waits until all bells have ended, dropping those that have: the daemon's edges in small.
Task<> wait_for_all(Context& ctx, std::vector<std::unique_ptr<BellCase>>& edges, int& rounds) {
  std::vector<SelectCase*> cases;
  cases.reserve(edges.size());
  for (auto& edge : edges) cases.push_back(edge.get());
  for (std::size_t left = cases.size(); left > 0; --left) {
    const std::size_t which = co_await select(ctx, std::span<SelectCase* const>(cases));
    if (which == select_cancelled) co_return;
    edges[which]->reset();
    ++rounds;
  }
}

TEST(Select, a_dynamic_set_is_reused_and_its_cases_are_aimed_anew) {
  Rig rig;
  std::vector<std::unique_ptr<Bell<>>> bells;
  std::vector<std::unique_ptr<BellCase>> edges;
  for (int i = 0; i < 50; ++i) {
    bells.push_back(std::make_unique<Bell<>>(rig.loop, "edge"));
    edges.push_back(std::make_unique<BellCase>());
    edges.back()->target(bells.back()->listener());
  }
  int rounds = 0;
  rig.go(wait_for_all(rig.root, edges, rounds));
  rig.idle();
  for (std::size_t i = 0; i < bells.size(); i += 2) bells[i]->ring();
  rig.idle();
  EXPECT_EQ(rounds, 25);
  for (auto& bell : bells) bell->ring();
  rig.idle();
  EXPECT_EQ(rounds, 50);
}

Task<> select_two(Context& ctx, BellCase& edge, TimerCase& late, std::vector<std::size_t>& log) {
  const std::size_t which = co_await select(ctx, edge, late);
  log.push_back(which);
}

TEST(Select, its_cases_may_be_aimed_anew_while_it_waits) {
  Rig rig;
  Bell<> old_bell(rig.loop, "old");
  Bell<> new_bell(rig.loop, "new");
  Bell<> ended(rig.loop, "ended");
  ended.ring();
  BellCase edge;
  TimerCase late(rig.loop);
  std::vector<std::size_t> log;

  edge.target(old_bell.listener());
  rig.go(select_two(rig.root, edge, late, log));
  rig.idle();
  edge.target(new_bell.listener());
  old_bell.ring();
  rig.idle();
  EXPECT_TRUE(log.empty()) << "it listens to the new bell only";
  new_bell.ring();
  rig.idle();

  edge.reset();
  rig.go(select_two(rig.root, edge, late, log));
  rig.idle();
  edge.target(ended.listener());
  rig.idle();

  edge.reset();
  rig.go(select_two(rig.root, edge, late, log));
  rig.idle();
  late.target(rig.clock.now() + seconds(1));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, (std::vector<std::size_t>{0, 0, 1}));
}

TEST(SelectDeathTest, one_case_in_two_selects_at_once_is_a_bug_that_is_seen) {
  EXPECT_DEATH(
      {
        Rig rig;
        Bell<> bell(rig.loop, "bell");
        auto shared = on(bell);
        struct Body {
          static Task<> run(Context& ctx, BellCase& shared) { (void)co_await select(ctx, shared); }
        };
        rig.go(Body::run(rig.root, shared));
        rig.go(Body::run(rig.root, shared));
        rig.idle();
      },
      "it is entered already");
}

struct SelectScenario {
  Loop& loop;
  Context child;
  Bell<> bell{loop, "bell"};
  Wakeup wakeup{loop};
  WaitGroup tasks{loop};
  int seen = 0;

  SelectScenario(Loop& l, Context& root) : loop(l), child(root) {
    spawn(tasks, "selector", run(*this));
    spawn(tasks, "driver", drive(root, *this));
  }
  static Task<> run(SelectScenario& self) {
    auto rung = on(self.bell);
    auto woken = on(self.wakeup);
    auto tick = after(self.loop, seconds(1));
    for (;;) {
      const std::size_t which = co_await select(self.child, rung, woken, tick);
      if (which == select_cancelled) co_return;
      if (which == 0) rung.reset();
      if (which == 2) tick.target(self.loop.now() + seconds(2));
      ++self.seen;
    }
  }
  static Task<> drive(Context& root, SelectScenario& self) {
    self.wakeup.notify();
    (void)co_await sleep_for(root, seconds(4));
    self.bell.ring();
    self.wakeup.notify();
    co_await yield(self.loop);
    self.child.cancel();
  }
};

TEST(Select, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<SelectScenario>(), 6); }

}  // namespace
}  // namespace belfry
