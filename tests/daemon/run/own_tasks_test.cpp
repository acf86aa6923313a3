#include "daemon/run/own_tasks.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "channels/asio.hpp"
#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/sleep.hpp"

namespace belfry::daemon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::StartsWith;

Task<void> wait_for(Context& ctx, Bell<>& bell) { (void)co_await bell.wait(ctx); }
Task<void> sleep(Context& ctx) { (void)co_await sleep_for(ctx, milliseconds(1)); }

TEST(OwnTasks, are_told_with_what_they_wait_for_and_since_when) {
  Loop loop;
  Context root(loop);
  Bell<> bell(loop, "never rung");
  TaskHandle life = spawn(loop, "daemon", wait_for(root, bell));
  loop.run_until_idle();
  EXPECT_THAT(describe_own_tasks(loop), ElementsAre("task daemon: waits since 0.00 s for bell 'never rung'"));
  bell.ring();
  loop.run_until_idle();
}

TEST(RunUntilDone, a_life_that_ends_is_done) {
  Loop loop;
  Context root(loop);
  TaskHandle life = spawn(loop, "daemon", sleep(root));
  EXPECT_TRUE(run_until_done(loop, life, milliseconds(1)));
}

TEST(RunUntilDone, when_all_are_asleep_it_gives_up_after_a_last_chance) {
  Loop loop;
  Context root(loop);
  Bell<> bell(loop, "never rung");
  TaskHandle life = spawn(loop, "daemon", wait_for(root, bell));
  EXPECT_FALSE(run_until_done(loop, life, milliseconds(1)));
  EXPECT_THAT(describe_own_tasks(loop), ElementsAre(StartsWith("task daemon: waits since")));
  bell.ring();
  loop.run_until_idle();
}

// What nobody counts on: it is in the background, and comes during the last chance.
TEST(RunUntilDone, what_comes_from_outside_in_that_time_is_heard) {
  Loop loop;
  Context root(loop);
  Bell<> bell(loop, "rung from outside");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  asio::posix::basic_stream_descriptor<Executor> in(loop.executor(), ends[0]);
  in.async_wait(asio::posix::descriptor_base::wait_read, [&](const error_code& error) {
    loop.end_background_wait();
    if (!error) bell.ring();
  });
  loop.begin_background_wait();
  TaskHandle life = spawn(loop, "daemon", wait_for(root, bell));
  Timer outside(loop);
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_TRUE(run_until_done(loop, life, std::chrono::seconds(60)));
  ::close(ends[1]);
}

}  // namespace
}  // namespace belfry::daemon
