// What is wrong on purpose, and what each type says to it. The answers stand at the types.
#include <cstdlib>
#include <memory>

#include "channels/broadcast.hpp"
#include "channels/channel_case.hpp"
#include "channels/handshake.hpp"
#include "channels/request.hpp"
#include "channels/semaphore.hpp"
#include "channels/sleep.hpp"
#include "channels/wakeup.hpp"
#include "tests/channels/rig.hpp"
#include "tests/support/instrumented.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> receive_one(Context& ctx, Channel<int>& channel, std::string& log) {
  Result<int> got = co_await channel.receive(ctx);
  log += got ? std::to_string(*got) + ";" : got.error().text() + ";";
}
Task<> send_one(Context& ctx, Channel<int>& channel, int value, std::string& log) {
  Result<void> sent = co_await channel.send(ctx, value);
  log += sent ? "sent;" : sent.error().text() + ";";
}

TEST(BadUse, a_double_close_is_harmless) {
  Rig rig;
  Channel<int> channel(rig.loop, 1, "c");
  EXPECT_TRUE(channel.close());
  EXPECT_FALSE(channel.close());
  Broadcast<int> broadcast(rig.loop, "b");
  Subscription<int> subscription(broadcast, 1);
  broadcast.close();
  broadcast.close();
  broadcast.publish(1);
  EXPECT_EQ(subscription.buffered(), 0U);
  Bell<> bell(rig.loop, "bell");
  EXPECT_TRUE(bell.ring());
  EXPECT_FALSE(bell.ring());
  EXPECT_FALSE(bell.never(Error::cancelled()));
  Context ctx(rig.root);
  ctx.cancel(Error::failed("first"));
  ctx.cancel(Error::failed("second"));
  EXPECT_EQ(ctx.cause().text(), "first");
}

TEST(BadUse, a_close_while_tasks_wait_releases_all_of_them) {
  Rig rig;
  std::string log;
  Channel<int> empty(rig.loop, 0, "empty");
  rig.go(receive_one(rig.root, empty, log));
  rig.go(receive_one(rig.root, empty, log));
  rig.idle();
  empty.close();
  rig.idle();
  EXPECT_EQ(
      log,
      "cannot receive from channel 'empty': it is closed;cannot receive from channel 'empty': it is closed;");
  log.clear();
  Channel<int> full(rig.loop, 1, "full");
  EXPECT_TRUE(full.try_send(1));
  rig.go(send_one(rig.root, full, 2, log));
  rig.idle();
  full.close();
  rig.go(receive_one(rig.root, full, log));
  rig.idle();
  EXPECT_EQ(log, "cannot send on channel 'full': it is closed;1;") << "what was buffered is drained";
}

// Where everything takes fifty times as long, a tenth of them says the same.
const int many = test::is_instrumented || std::getenv("BELFRY_SLOW") != nullptr ? 100'000 : 1'000'000;

Task<> count_bell(Context& ctx, Bell<>& bell, int& woken) {
  (void)co_await bell.wait(ctx);
  ++woken;
}
Task<> count_receive(Context& ctx, Channel<int>& channel, int& woken) {
  (void)co_await channel.receive(ctx);
  ++woken;
}

TEST(BadUse, a_million_waiters_are_released_by_a_ring_a_cancel_and_a_close) {
  Rig rig;
  int woken = 0;
  Bell<> bell(rig.loop, "bell");
  for (int i = 0; i < many; ++i) rig.go(count_bell(rig.root, bell, woken));
  rig.idle();
  bell.ring();
  rig.idle();
  EXPECT_EQ(woken, many);

  woken = 0;
  Context ctx(rig.root);
  Bell<> silent(rig.loop, "silent");
  for (int i = 0; i < many; ++i) rig.go(count_bell(ctx, silent, woken));
  rig.idle();
  ctx.cancel();
  rig.idle();
  EXPECT_EQ(woken, many);

  woken = 0;
  Channel<int> channel(rig.loop, 0, "channel");
  for (int i = 0; i < many; ++i) rig.go(count_receive(rig.root, channel, woken));
  rig.idle();
  channel.close();
  rig.idle();
  EXPECT_EQ(woken, many);
}

template <class Primitive, class Wait, class... Args>
void destroy_under_a_waiter(Wait wait, Args... args) {
  Rig rig;
  auto primitive = std::make_unique<Primitive>(rig.loop, args...);
  rig.go(wait(rig.root, *primitive));
  rig.idle();
  primitive.reset();
}

TEST(BadUseDeathTest, a_primitive_that_goes_under_a_waiter_is_named) {
  EXPECT_DEATH(destroy_under_a_waiter<Bell<>>(
                   [](Context& ctx, Bell<>& b) -> Task<> { (void)co_await b.wait(ctx); }, "b1"),
               "cannot destroy bell 'b1': a task still waits for it");
  EXPECT_DEATH(destroy_under_a_waiter<Channel<int>>(
                   [](Context& ctx, Channel<int>& c) -> Task<> { (void)co_await c.receive(ctx); }, 0U, "c1"),
               "cannot destroy channel 'c1': a task still waits for it");
  EXPECT_DEATH(destroy_under_a_waiter<Wakeup>(
                   [](Context& ctx, Wakeup& w) -> Task<> { (void)co_await w.wait(ctx); }, "w1"),
               "cannot destroy wakeup 'w1': a task still waits for it");
  EXPECT_DEATH(destroy_under_a_waiter<Semaphore>(
                   [](Context& ctx, Semaphore& s) -> Task<> {
                     Result<Permit> all = co_await s.acquire(ctx, 1);
                     (void)co_await s.acquire(ctx, 1);
                   },
                   1U, "s1"),
               "cannot destroy semaphore 's1': a task still waits for it");
  EXPECT_DEATH(destroy_under_a_waiter<WaitGroup>(
                   [](Context& ctx, WaitGroup& g) -> Task<> {
                     g.add();
                     (void)co_await g.wait(ctx);
                   },
                   "g1"),
               "cannot destroy wait group 'g1': a task still waits for it");
  EXPECT_DEATH(destroy_under_a_waiter<Reply<int>>(
                   [](Context& ctx, Reply<int>& r) -> Task<> {
                     Replier<int> other = r.replier();
                     (void)co_await r.wait(ctx);
                   },
                   "r1"),
               "cannot destroy reply 'r1': a task still waits for it");
}

TEST(BadUseDeathTest, so_is_one_whose_waiter_was_released_and_has_not_resumed_yet) {
  EXPECT_DEATH(
      {
        Rig rig;
        auto bell = std::make_unique<Bell<>>(rig.loop, "hasty");
        int woken = 0;
        rig.go(count_bell(rig.root, *bell, woken));
        rig.idle();
        bell->ring();
        bell.reset();
      },
      "cannot destroy bell 'hasty': a task it released has not resumed yet");
}

TEST(BadUse, a_cancel_inside_a_callback_resumes_nobody_there) {
  Rig rig;
  Context ctx(rig.root);
  Bell<> bell(rig.loop, "bell");
  int woken = 0;
  int woken_inside = -1;
  rig.go(count_bell(ctx, bell, woken));
  rig.idle();
  Timer timer(rig.loop);
  timer.arm(rig.clock.now() + seconds(1), [&] {
    ctx.cancel();
    ctx.cancel();
    woken_inside = woken;
  });
  rig.loop.advance(seconds(1));
  EXPECT_EQ(woken_inside, 0);
  EXPECT_EQ(woken, 1);
  // The same from a posted callback, of a context with children that are cancelled in the same call.
  Context parent(rig.root);
  Context child(parent);
  rig.go(count_bell(child, bell, woken));
  rig.go(count_bell(parent, bell, woken));
  rig.idle();
  rig.loop.post([&] {
    child.cancel();
    parent.cancel();
    woken_inside = woken;
  });
  rig.idle();
  EXPECT_EQ(woken_inside, 1);
  EXPECT_EQ(woken, 3);
}

TEST(BadUse, a_ring_from_whom_the_ring_has_woken_is_harmless) {
  Rig rig;
  struct Echo {
    static Task<> run(Context& ctx, Bell<int>& bell, std::string& log) {
      Outcome outcome = co_await bell.wait(ctx);
      log += outcome.rung() ? "rung " : "not rung ";
      log += bell.ring(2) ? "again;" : std::to_string(bell.value()) + ";";
    }
  };
  Bell<int> bell(rig.loop, "bell");
  std::string log;
  for (int i = 0; i < 3; ++i) rig.go(Echo::run(rig.root, bell, log));
  rig.idle();
  bell.ring(1);
  EXPECT_EQ(log, "") << "nobody is resumed inside ring()";
  rig.idle();
  EXPECT_EQ(log, "rung 1;rung 1;rung 1;");
}

Task<> spin(int& turns, const bool& stop) {
  while (!stop) {
    if (++turns > 1'000'000) co_return;
  }
}
Task<> polite(Loop& loop, int& turns, const bool& stop) {
  while (!stop) {
    ++turns;
    co_await yield(loop);
  }
}
Task<> set(bool& flag) {
  flag = true;
  co_return;
}

// Nothing can interrupt it: the loop is one thread. It is counted, and named where it says what it does.
TEST(BadUse, a_task_that_never_yields_keeps_all_others_out_and_one_that_yields_does_not) {
  Rig rig;
  int turns = 0;
  bool stop = false;
  rig.go(spin(turns, stop));
  rig.go(set(stop));
  rig.idle();
  EXPECT_EQ(turns, 1'000'001) << "nobody came in between";
  turns = 0;
  stop = false;
  rig.go(polite(rig.loop, turns, stop));
  rig.go(set(stop));
  rig.idle();
  EXPECT_LT(turns, 3);
}

Task<> work_for(Loop& loop, Duration time) {
  const Work work(loop.meter(), "thinking");
  const TimePoint end = Clock::now() + time;
  while (Clock::now() < end) continue;
  co_return;
}

TEST(BadUse, a_task_that_works_for_too_long_is_found_by_the_meter) {
  Rig rig;
  rig.go(work_for(rig.loop, 2 * TurnMeter::long_turn));
  rig.idle();
  ASSERT_EQ(rig.loop.meter().culprits().size(), 1U);
  EXPECT_EQ(rig.loop.meter().culprits()[0].name, "thinking");
}

}  // namespace
}  // namespace belfry
