#include "channels/timer_queue.hpp"

#include <algorithm>
#include <memory>
#include <random>

#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::milliseconds;
using test::Rig;
using test::seconds;

TEST(TimerQueue, fires_in_order_of_deadline_and_then_of_arming) {
  Rig rig;
  std::string log;
  Timer a(rig.loop);
  Timer b(rig.loop);
  Timer c(rig.loop);
  const TimePoint t = rig.clock.now();
  a.arm(t + seconds(2), [&log] { log += 'a'; });
  b.arm(t + seconds(1), [&log] { log += 'b'; });
  c.arm(t + seconds(1), [&log] { log += 'c'; });
  rig.loop.advance(seconds(3));
  EXPECT_EQ(log, "bca");
}

TEST(TimerQueue, a_rearmed_timer_never_fires_for_its_old_deadline) {
  Rig rig;
  int fired = 0;
  Timer timer(rig.loop);
  timer.arm(rig.clock.now() + seconds(1), [&fired] { ++fired; });
  timer.arm(rig.clock.now() + seconds(5), [&fired] { fired += 10; });
  rig.loop.advance(seconds(4));
  EXPECT_EQ(fired, 0);
  rig.loop.advance(seconds(1));
  EXPECT_EQ(fired, 10);
}

TEST(TimerQueue, a_timer_may_be_rearmed_or_destroyed_from_its_own_callback) {
  Rig rig;
  int ticks = 0;
  Timer timer(rig.loop);
  std::function<void()> tick = [&] {
    if (++ticks < 3) timer.arm(rig.clock.now() + seconds(1), tick);
  };
  timer.arm(rig.clock.now() + seconds(1), tick);
  auto doomed = std::make_unique<Timer>(rig.loop);
  doomed->arm(rig.clock.now() + seconds(2), [&doomed] { doomed.reset(); });
  rig.loop.advance(seconds(10));
  EXPECT_EQ(ticks, 3);
  EXPECT_EQ(doomed, nullptr);
}

struct Node : detail::TimerNode {
  Node() : TimerNode(&Node::note) {}
  static void note(TimerNode& node) noexcept { static_cast<Node&>(node).fired = true; }
  bool fired = false;
};

TEST(TimerQueue, agrees_with_a_sorted_list_over_random_operations) {
  Rig rig;
  std::mt19937 random(7);
  std::vector<Node> nodes(300);
  TimerQueue& queue = rig.loop.timers();
  TimePoint now = rig.clock.now();
  for (int step = 0; step < 100000; ++step) {
    Node& node = nodes[random() % nodes.size()];
    switch (random() % 4) {
      case 0:
      case 1: queue.arm(node, now + std::chrono::nanoseconds(random() % 5000)); break;
      case 2: queue.cancel(node); break;
      default: {
        now += std::chrono::nanoseconds(random() % 100);
        for (Node& n : nodes) n.fired = false;
        std::vector<bool> due(nodes.size());
        for (std::size_t i = 0; i < nodes.size(); ++i) due[i] = nodes[i].armed() && nodes[i].when <= now;
        queue.fire_due(now);
        for (std::size_t i = 0; i < nodes.size(); ++i) ASSERT_EQ(nodes[i].fired, due[i]) << step;
      }
    }
    const auto armed = std::count_if(nodes.begin(), nodes.end(), [](const Node& n) { return n.armed(); });
    ASSERT_EQ(queue.size(), static_cast<std::size_t>(armed));
    TimePoint earliest = TimePoint::max();
    for (const Node& n : nodes) earliest = n.armed() ? std::min(earliest, n.when) : earliest;
    ASSERT_EQ(queue.earliest().value_or(TimePoint::max()), earliest);
  }
  for (Node& node : nodes) queue.cancel(node);
}

TEST(TimerQueue, a_hundred_thousand_are_taken_back_in_any_order) {
  Rig rig;
  std::mt19937 random(11);
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < 100000; ++i) {
    nodes.push_back(std::make_unique<Node>());
    rig.loop.timers().arm(*nodes.back(), rig.clock.now() + std::chrono::nanoseconds(random()));
  }
  std::shuffle(nodes.begin(), nodes.end(), random);
  for (auto& node : nodes) rig.loop.timers().cancel(*node);
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(TimerQueue, the_kernel_is_told_at_most_once_a_turn_and_only_of_what_changed) {
  Loop loop;
  std::vector<std::unique_ptr<Timer>> timers;
  const TimePoint base = loop.now() + seconds(3600);
  for (int i = 0; i < 1000; ++i) {  // each earlier than the one before
    timers.push_back(std::make_unique<Timer>(loop));
    timers.back()->arm(base - milliseconds(i), [] {});
  }
  loop.run_until_idle();
  EXPECT_EQ(loop.kernel_timer_changes(), 1U);
  for (int i = 0; i < 500; ++i)
    timers[static_cast<std::size_t>(i)]->cancel();  // later ones: nobody's business
  loop.run_until_idle();
  EXPECT_EQ(loop.kernel_timer_changes(), 1U);
  for (int i = 0; i < 100; ++i) {  // there and back within one turn
    Timer brief(loop);
    brief.arm(loop.now() + milliseconds(1), [] {});
  }
  loop.run_until_idle();
  EXPECT_EQ(loop.kernel_timer_changes(), 1U);
}

TEST(TimerQueue, a_deadline_that_was_taken_back_does_not_wake_an_idle_process) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  Timer timer(loop);
  timer.arm(loop.now() + milliseconds(20), [] {});
  loop.run_until_idle();
  timer.cancel();
  loop.run_until_idle();
  EXPECT_EQ(loop.kernel_timer_changes(), 2U) << "the kernel was told of the cancel, too";
  EXPECT_EQ(loop.run(), RunEnd::finished);
  // With nothing armed a sleeping task is recognised as such instead of waiting for a dead timer.
  struct Body {
    static Task<> run(Context& ctx, WaitGroup& group) { (void)co_await group.wait(ctx); }
  };
  WaitGroup never(loop);
  never.add();
  spawn(tasks, "sleeper", Body::run(root, never));
  timer.arm(loop.now() + seconds(3600), [] {});
  loop.run_until_idle();
  timer.cancel();
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  timer.arm(loop.now() + milliseconds(1), [&never] { never.done(); });
  EXPECT_EQ(loop.run(), RunEnd::finished);
}

TEST(TimerQueue, works_on_the_real_clock_too) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  int fired = 0;
  Timer timer(loop);
  Timer earlier(loop);
  const TimePoint start = loop.now();
  timer.arm(start + milliseconds(20), [&] {
    ++fired;
    loop.stop();
  });
  earlier.arm(start + milliseconds(2), [&fired] { ++fired; });
  tasks.add();
  struct Body {
    static Task<> run(Context& ctx, WaitGroup& group) { (void)co_await group.wait(ctx); }
  };
  WaitGroup shim(loop);
  spawn(shim, "shim", Body::run(root, tasks));
  EXPECT_EQ(loop.run(), RunEnd::stopped);
  EXPECT_EQ(fired, 2);
  EXPECT_GE(loop.now() - start, milliseconds(20));
  tasks.done();
  loop.run();
}

}  // namespace
}  // namespace belfry
