#include "channels/mailbox.hpp"

#include <memory>
#include <thread>
#include <vector>

#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

Task<> wait_and_sum(Context& ctx, Bell<int>& bell, const std::vector<int>& written, long& sum) {
  Outcome outcome = co_await bell.wait(ctx);
  if (!outcome) co_return;
  for (int n : written) sum += n;
  sum += bell.value();
}

// Under ThreadSanitizer this is the proof of the promise: nothing else orders the accesses.
TEST(Mailbox, what_a_thread_wrote_before_post_ring_is_visible_after_the_wait) {
  Loop loop;
  Context root(loop);
  for (int round = 0; round < 200; ++round) {
    Bell<int> bell(loop, "resolved");
    WaitGroup tasks(loop);
    std::vector<int> written(100);
    long sum = 0;
    for (int i = 0; i < 3; ++i) spawn(tasks, "waiter", wait_and_sum(root, bell, written, sum));
    Mailbox mailbox(loop);
    std::thread helper([&] {
      for (int& n : written) n = 1;
      mailbox.post_ring(bell.ringer(), 7);
    });
    EXPECT_EQ(loop.run(), RunEnd::finished);
    helper.join();
    EXPECT_EQ(sum, 3 * 107);
  }
}

TEST(Mailbox, many_threads_may_ring_at_once_and_the_first_wins) {
  Loop loop;
  Context root(loop);
  Bell<int> bell(loop, "race");
  WaitGroup tasks(loop);
  const std::vector<int> nothing;
  long sum = 0;
  spawn(tasks, "waiter", wait_and_sum(root, bell, nothing, sum));
  int posted = 0;
  Mailbox mailbox(loop);
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 100; ++n) mailbox.post([&posted] { ++posted; });
      mailbox.post_ring(bell.ringer(), 5);
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  loop.run_until_idle();
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(posted, 800);
}

TEST(Mailbox, what_is_posted_and_not_run_is_dropped_with_the_door) {
  Loop loop;
  auto bell = std::make_unique<Bell<>>(loop, "gone");
  {
    Mailbox mailbox(loop);
    mailbox.post_ring(bell->ringer());
  }
  bell.reset();
  loop.run_until_idle();  // must not touch the bell
}

TEST(Mailbox, an_abandoned_loop_drops_what_comes_through_it) {
  bool ran = false;
  {
    Loop loop;
    Mailbox mailbox(loop);
    loop.abandon();
    mailbox.post([&ran] { ran = true; });
    loop.run_until_idle();
  }
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace belfry
