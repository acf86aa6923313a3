// A select is uniform among the ready cases, whatever stands between them.
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>

#include "channels/channel_case.hpp"
#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;

// The value that chi-square exceeds by chance once in a million, by degrees of freedom.
constexpr std::array<double, 16> bound{1,    23.9, 27.6, 30.7, 33.4, 35.9, 38.3, 40.5,
                                       42.7, 44.8, 46.9, 48.9, 50.8, 52.7, 54.6, 56.5};

double chi_square(const std::vector<int>& wins, int rounds, std::size_t ready) {
  const double expected = static_cast<double>(rounds) / static_cast<double>(ready);
  double sum = 0;
  for (int won : wins) {
    if (won > 0) sum += (won - expected) * (won - expected) / expected;
  }
  return sum;
}

// What is ready is a bell that rang, and what is not one that did not.
struct Bells {
  explicit Bells(Loop& loop) : rung(loop, "rung"), silent(loop, "silent") { rung.ring(); }
  Bell<> rung;
  Bell<> silent;
  std::vector<std::unique_ptr<SelectCase>> cases;
  std::vector<SelectCase*> set;

  void make(std::uint64_t pattern, std::size_t count) {
    cases.clear();
    set.clear();
    for (std::size_t i = 0; i < count; ++i) {
      cases.push_back(
          std::make_unique<BellCase>(((pattern >> i & 1U) != 0 ? rung : silent).listener().core()));
      set.push_back(cases.back().get());
    }
  }
};

void expect_uniform(Rig& rig, Bells& bells, std::uint64_t pattern, std::size_t count, int rounds) {
  bells.make(pattern, count);
  std::vector<int> wins(count);
  for (int i = 0; i < rounds; ++i) {
    auto wait = select(rig.root, std::span<SelectCase* const>(bells.set));
    ASSERT_TRUE(wait.await_ready());
    ++wins[wait.await_resume()];
  }
  const auto ready = static_cast<std::size_t>(std::popcount(pattern));
  for (std::size_t i = 0; i < count; ++i) {
    if ((pattern >> i & 1U) == 0) EXPECT_EQ(wins[i], 0) << "case " << i << " was not ready";
    if ((pattern >> i & 1U) != 0) EXPECT_GT(wins[i], 0) << "case " << i << " was never taken";
  }
  EXPECT_LT(chi_square(wins, rounds, ready), bound.at(ready - 1))
      << "pattern " << pattern << " of " << count << " cases";
}

TEST(SelectFairness, every_pattern_of_up_to_six_cases_is_uniform) {
  Rig rig;
  Bells bells(rig.loop);
  for (std::size_t count = 1; count <= 6; ++count) {
    for (std::uint64_t pattern = 1; pattern < 1U << count; ++pattern)
      expect_uniform(rig, bells, pattern, count, 6000);
  }
}

TEST(SelectFairness, two_of_ten_and_two_behind_two_that_are_not_ready_have_the_same_chance) {
  Rig rig;
  Bells bells(rig.loop);
  expect_uniform(rig, bells, 0b11, 10, 30000);
  expect_uniform(rig, bells, 0b1100, 4, 30000);
  expect_uniform(rig, bells, 0b1000000000000011, 16, 30000);
}

TEST(SelectFairness, a_set_of_any_size_is_uniform) {
  Rig rig;
  Bells bells(rig.loop);
  expect_uniform(rig, bells, 0b11'0000'0000'0000'0111, 40, 30000);
}

// Both become ready in the turn in which the select wakes.
Task<> woken_by_both(Context& ctx, Wakeup& a, Wakeup& b, std::vector<int>& wins) {
  auto none = never();
  auto first = on(a);
  auto second = on(b);
  for (;;) {
    const std::size_t which = co_await select(ctx, none, first, second);
    if (which == select_cancelled) co_return;
    ++wins[which - 1];
    (void)a.consume();
    (void)b.consume();
  }
}

TEST(SelectFairness, who_wakes_to_several_that_are_ready_chooses_among_them_with_equal_chance) {
  constexpr int rounds = 20000;
  Rig rig;
  Context ctx(rig.root);
  Wakeup a(rig.loop, "a");
  Wakeup b(rig.loop, "b");
  std::vector<int> wins(2);
  rig.go(woken_by_both(ctx, a, b, wins));
  for (int i = 0; i < rounds; ++i) {
    rig.idle();
    a.notify();
    b.notify();
  }
  rig.idle();
  ctx.cancel();
  rig.idle();
  EXPECT_EQ(wins[0] + wins[1], rounds);
  EXPECT_LT(chi_square(wins, rounds, 2), bound[1]);
}

// --- the one order of a cancelled context, a rung bell and a moment that has passed ------------------

enum class Thing { bell, moment, notify };

struct Order {
  Rig rig;
  Context ctx{rig.root};
  Bell<> bell{rig.loop, "bell"};
  Wakeup wakeup{rig.loop};
  std::string seen;

  static Task<> bell_wait(Order& self) {
    Outcome outcome = co_await self.bell.wait(self.ctx);
    self.seen = outcome.rung() ? "taken" : "cancelled";
  }
  static Task<> sleep_wait(Order& self, TimePoint until) {
    Result<void> slept = co_await sleep_until(self.ctx, until);
    self.seen = slept ? "taken" : "cancelled";
  }
  static Task<> wakeup_wait(Order& self) {
    Result<void> woken = co_await self.wakeup.wait(self.ctx);
    self.seen = woken ? "taken" : "cancelled";
  }
  static Task<> select_wait(Order& self, Thing thing, TimePoint until) {
    auto rung = on(self.bell);
    auto woken = on(self.wakeup);
    auto late = at(self.rig.loop, until);
    auto none = never();
    SelectCase* one = &none;
    if (thing == Thing::bell) one = &rung;
    if (thing == Thing::notify) one = &woken;
    if (thing == Thing::moment) one = &late;
    SelectCase* set[] = {&none, one};
    const std::size_t which = co_await select(self.ctx, std::span<SelectCase* const>(set));
    self.seen = which == select_cancelled ? "cancelled" : "taken";
  }
  void start(Thing thing, bool by_select, TimePoint until) {
    if (by_select) return rig.go(select_wait(*this, thing, until));
    if (thing == Thing::bell) rig.go(bell_wait(*this));
    if (thing == Thing::notify) rig.go(wakeup_wait(*this));
    if (thing == Thing::moment) rig.go(sleep_wait(*this, until));
  }
  void make(Thing thing) {
    if (thing == Thing::bell) bell.ring();
    if (thing == Thing::notify) wakeup.notify();
  }
};

TEST(WaitOrder, on_a_cancelled_context_only_what_has_ended_for_good_is_heard) {
  for (Thing thing : {Thing::bell, Thing::moment, Thing::notify}) {
    for (bool by_select : {false, true}) {
      Order order;
      order.make(thing);
      order.ctx.cancel();
      order.start(thing, by_select, order.rig.clock.now() - test::seconds(1));
      order.rig.idle();
      EXPECT_EQ(order.seen, thing == Thing::bell ? "taken" : "cancelled")
          << static_cast<int>(thing) << by_select;
    }
  }
}

TEST(WaitOrder, past_its_deadline_a_context_is_a_cancelled_one_also_before_its_timer_fires) {
  for (Thing thing : {Thing::bell, Thing::moment, Thing::notify}) {
    for (bool by_select : {false, true}) {
      Order order;
      struct Body {
        static Task<> run(Order& order, Thing thing, bool by_select) {
          const TimePoint deadline = order.rig.clock.now() + test::seconds(1);
          Context soon(order.ctx, deadline);
          order.make(thing);
          order.rig.clock.advance(test::seconds(1));  // without a turn: no timer has fired
          auto none = never();
          auto rung = on(order.bell);
          auto woken = on(order.wakeup);
          auto late = at(order.rig.loop, deadline);
          SelectCase* one = &none;
          if (thing == Thing::bell) one = &rung;
          if (thing == Thing::notify) one = &woken;
          if (thing == Thing::moment) one = &late;
          SelectCase* set[] = {one};
          bool taken = false;
          if (by_select) {
            const std::size_t which = co_await select(soon, std::span<SelectCase* const>(set));
            taken = which == 0;
          } else if (thing == Thing::bell) {
            Outcome outcome = co_await order.bell.wait(soon);
            taken = outcome.rung();
          } else if (thing == Thing::notify) {
            Result<void> got = co_await order.wakeup.wait(soon);
            taken = got.has_value();
          } else {
            Result<void> got = co_await sleep_until(soon, deadline);
            taken = got.has_value();
          }
          order.seen = taken ? "taken" : "cancelled";
        }
      };
      order.rig.go(Body::run(order, thing, by_select));
      order.rig.idle();
      EXPECT_EQ(order.seen, thing == Thing::bell ? "taken" : "cancelled")
          << static_cast<int>(thing) << by_select;
    }
  }
}

TEST(WaitOrder, who_is_resumed_takes_what_is_there_before_a_cancel_of_the_same_turn_whichever_came_first) {
  for (Thing thing : {Thing::bell, Thing::moment, Thing::notify}) {
    for (bool by_select : {false, true}) {
      for (bool cancel_first : {false, true}) {
        Order order;
        order.start(thing, by_select, order.rig.clock.now() + test::seconds(1));
        order.rig.idle();
        if (cancel_first) order.ctx.cancel();
        order.make(thing);
        order.rig.clock.advance(test::seconds(1));
        if (!cancel_first && thing == Thing::moment) order.rig.loop.timers().fire_due(order.rig.clock.now());
        if (!cancel_first) order.ctx.cancel();
        order.rig.idle();
        EXPECT_EQ(order.seen, "taken") << static_cast<int>(thing) << by_select << cancel_first;
      }
    }
  }
}

TEST(WaitOrder, a_moment_and_the_deadline_of_the_context_that_fall_together_are_the_moment) {
  for (bool by_select : {false, true}) {
    Order order;
    const TimePoint both = order.rig.clock.now() + test::seconds(1);
    Context soon(order.rig.root, both);
    struct Body {
      static Task<> run(Context& ctx, TimePoint when, bool by_select, std::string& seen) {
        if (by_select) {
          auto late = at(ctx.loop(), when);
          const std::size_t which = co_await select(ctx, late);
          seen = which == 0 ? "taken" : "cancelled";
        } else {
          Result<void> slept = co_await sleep_until(ctx, when);
          seen = slept ? "taken" : "cancelled";
        }
      }
    };
    order.rig.go(Body::run(soon, both, by_select, order.seen));
    order.rig.loop.advance(test::seconds(1));
    EXPECT_EQ(order.seen, "taken") << by_select;
  }
}

// --- deadlines in a loop that never suspends --------------------------------------------------------

Task<> busy_with_otherwise(Context& ctx, ManualClock& clock, Bell<>& bell, int& rounds) {
  auto rung = on(bell);
  auto none = otherwise();
  for (rounds = 0; rounds < 1000; ++rounds) {
    const std::size_t which = co_await select(ctx, rung, none);
    if (which == select_cancelled) co_return;
    clock.advance(test::milliseconds(1));  // the work
  }
}

TEST(BusyLoop, a_select_with_otherwise_hears_a_deadline_that_passes) {
  Rig rig;
  Bell<> bell(rig.loop, "bell");
  Context soon(rig.root, rig.clock.now() + test::milliseconds(10));
  Context child(soon);
  int rounds = 0;
  rig.go(busy_with_otherwise(child, rig.clock, bell, rounds));
  rig.idle();
  EXPECT_EQ(rounds, 10);
  EXPECT_EQ(child.cause().kind(), Error::Kind::deadline_exceeded);
}

Task<> busy_asking(Context& ctx, ManualClock& clock, int& rounds) {
  for (rounds = 0; rounds < 1000 && !ctx.cancelled(); ++rounds) clock.advance(test::milliseconds(1));
  co_return;
}

TEST(BusyLoop, cancelled_says_so_when_a_deadline_has_passed) {
  Rig rig;
  Context soon(rig.root, rig.clock.now() + test::milliseconds(10));
  int rounds = 0;
  rig.go(busy_asking(soon, rig.clock, rounds));
  rig.idle();
  EXPECT_EQ(rounds, 10);
  EXPECT_TRUE(rig.loop.timers().empty()) << "its timer is free at once";
}

Task<> busy_receiving(Context& ctx, ManualClock& clock, Channel<int>& full, int& rounds) {
  for (rounds = 0; rounds < 1000; ++rounds) {
    (void)full.try_send(1);
    Result<int> got = co_await full.receive(ctx);
    if (!got) co_return;
    clock.advance(test::milliseconds(1));
  }
}

TEST(BusyLoop, a_plain_wait_that_is_always_ready_hears_it_too) {
  Rig rig;
  Channel<int> full(rig.loop, 1, "full");
  Context soon(rig.root, rig.clock.now() + test::milliseconds(10));
  int rounds = 0;
  rig.go(busy_receiving(soon, rig.clock, full, rounds));
  rig.idle();
  EXPECT_EQ(rounds, 10);
}

// A look at it takes time.
class SlowCase final : public SelectCase {
 public:
  explicit SlowCase(ManualClock& clock) : clock_(clock) {}

 private:
  bool try_take() override {
    clock_.advance(test::milliseconds(20));
    return false;
  }
  void enter() override {}
  void leave() noexcept override {}
  ManualClock& clock_;
};

Task<> look_slowly(Context& ctx, Context& other, ManualClock& clock, std::size_t& which) {
  SlowCase slow(clock);
  auto gone = on(other);
  which = co_await select(ctx, slow, gone);
}

TEST(BusyLoop, a_deadline_that_passes_while_a_select_looks_at_its_cases_is_heard) {
  for (const bool of_the_case : {false, true}) {
    Rig rig;
    Context soon(rig.root, rig.clock.now() + test::milliseconds(10));
    std::size_t which = 0;
    rig.go(of_the_case ? look_slowly(rig.root, soon, rig.clock, which)
                       : look_slowly(soon, rig.root, rig.clock, which));
    rig.idle();
    EXPECT_EQ(which, of_the_case ? 1U : select_cancelled);
  }
}

TEST(BusyLoop, what_was_over_before_the_turn_began_waits_for_the_news_that_came_in_time) {
  Loop loop;
  Context root(loop);
  Context soon(root, loop.now() + test::milliseconds(20));
  std::string seen;
  struct Body {
    // It is resumed by I/O after a pause of the whole process: what was in time is to be read first.
    static Task<> run(Context& soon, std::string& seen) {
      seen = soon.cancelled() ? "judged" : "heard";
      co_return;
    }
  };
  WaitGroup tasks(loop);
  spawn(tasks, "reader", Body::run(soon, seen));
  while (loop.now() < *soon.deadline()) {
  }
  loop.run();
  EXPECT_EQ(seen, "heard");
}

}  // namespace
}  // namespace belfry
