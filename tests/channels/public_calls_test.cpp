// No sequence of public calls is undefined: it is harmless, an error, or ends the process with a name.
#include <string>
#include <thread>

#include "channels/broadcast.hpp"
#include "channels/channel_case.hpp"
#include "channels/detail/frame_pool.hpp"
#include "channels/error_group.hpp"
#include "channels/request.hpp"
#include "channels/select.hpp"
#include "channels/semaphore.hpp"
#include "channels/sleep.hpp"
#include "channels/wakeup.hpp"
#include "channels/watchdog.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> wait_into(Context& ctx, Wakeup& wakeup, std::string& log) {
  Result<void> woken = co_await wakeup.wait(ctx);
  log += woken ? "woken;" : woken.error().text() + ";";
}
Task<> select_into(Context& ctx, Wakeup& wakeup, std::string& log) {
  auto woken = on(wakeup);
  const std::size_t which = co_await select(ctx, woken);
  log += which == 0 ? "woken;" : "cancelled;";
}

TEST(PublicCalls, a_notify_that_has_released_a_waiter_cannot_be_taken_from_him) {
  Rig rig;
  Wakeup wakeup(rig.loop);
  std::string log;
  rig.go(wait_into(rig.root, wakeup, log));
  rig.idle();
  wakeup.notify();
  EXPECT_FALSE(wakeup.consume());
  rig.idle();
  EXPECT_EQ(log, "woken;");
  EXPECT_FALSE(wakeup.pending());
  rig.go(select_into(rig.root, wakeup, log));
  rig.idle();
  wakeup.notify();
  EXPECT_FALSE(wakeup.consume());
  rig.idle();
  EXPECT_EQ(log, "woken;woken;");
  wakeup.notify();
  EXPECT_TRUE(wakeup.consume()) << "nobody waits: it is whose who asks";
}

// The seeds' collector: asks several, takes the first answer, and goes. Its channel is its own, those whom it
// asked belong to somebody else.
Task<> answer(Context& ctx, Sender<int> results, Duration takes) {
  (void)co_await sleep_for(ctx, takes);
  (void)co_await results.send(ctx, 1);
}
Task<> first_of_two(Context& ctx, WaitGroup& group) {
  Channel<int> results(ctx.loop(), 2, "results");
  spawn(group, "quick", answer(ctx, results.sender(), seconds(1)));
  spawn(group, "slow", answer(ctx, results.sender(), seconds(2)));
  (void)co_await results.receive(ctx);
}

TEST(PublicCallsDeathTest, a_collector_that_returns_before_its_producers_names_its_channel) {
  EXPECT_DEATH(
      {
        Rig rig;
        WaitGroup group(rig.loop, "producers");
        rig.go(first_of_two(rig.root, group));
        rig.loop.advance(seconds(3));
      },
      "cannot destroy channel 'results': an end of it is still there");
}

TEST(PublicCallsDeathTest, an_end_that_outlives_its_channel_names_it) {
  EXPECT_DEATH(
      {
        Rig rig;
        Sender<int> sender;
        Channel<int> channel(rig.loop, 1, "gone");
        sender = channel.sender();
      },
      "cannot destroy channel 'gone'");
  EXPECT_DEATH(
      {
        Rig rig;
        std::optional<Channel<int>> channel;
        channel.emplace(rig.loop, 1, "gone too");
        auto item = receive(*channel);
        channel.reset();
      },
      "cannot destroy channel 'gone too'");
}

TEST(PublicCalls, ends_are_counted_through_copies_moves_and_assignments) {
  Rig rig;
  Sender<int> outside;
  {
    Channel<int> first(rig.loop, 1, "first");
    Channel<int> second(rig.loop, 1, "second");
    Sender<int> a = first.sender();
    Sender<int> b = a;
    a = second.sender();
    b = std::move(a);
    outside = b;
    a = outside;
    outside = Sender<int>();
    EXPECT_FALSE(outside);
    EXPECT_TRUE(b.try_send(*std::make_unique<int>(4)));
    EXPECT_EQ(second.size(), 1U);
  }
  EXPECT_FALSE(outside);
}

TEST(PublicCallsDeathTest, of_an_abandoned_loop_a_channel_may_go_first_and_its_ends_know) {
  EXPECT_DEATH(
      {
        ManualClock clock;
        Loop loop(clock);
        Sender<int> sender;
        {
          Channel<int> channel(loop, 1, "gone");
          sender = channel.sender();
          loop.abandon();
        }
        (void)sender.closed();
      },
      "cannot ask 'nil': its channel is gone");
}

TEST(PublicCallsDeathTest, nil_ends_and_listeners_say_so) {
  EXPECT_DEATH((void)Sender<int>().closed(), "this end was never given a channel");
  EXPECT_DEATH((void)Receiver<int>().try_receive(), "this end was never given a channel");
  EXPECT_DEATH((void)Listener<>().ended(), "this listener was never given a bell");
}

TEST(PublicCalls, a_case_that_lost_does_not_say_that_an_open_channel_is_closed) {
  Rig rig;
  Channel<int> full(rig.loop, 1, "full");
  Channel<int> empty(rig.loop, 1, "empty");
  EXPECT_TRUE(full.try_send(1));
  auto winner = receive(full);
  auto loser = receive(empty);
  auto wait = select(rig.root, winner, loser);
  ASSERT_TRUE(wait.await_ready());
  ASSERT_EQ(wait.await_resume(), 0U);
  EXPECT_EQ(loser.take().error().kind(), Error::Kind::invalid);
  EXPECT_EQ(loser.take().error().text(),
            "cannot take from channel 'empty': this case has not won, or its value was taken already");
  EXPECT_EQ(*winner.take(), 1);
  EXPECT_EQ(winner.take().error().kind(), Error::Kind::invalid) << "once";
  loser.reset();
  EXPECT_EQ(loser.take().error().kind(), Error::Kind::invalid) << "also of a case that has no channel";
  EXPECT_EQ(send(Sender<int>(), 1).sent().error().kind(), Error::Kind::invalid);
}

TEST(PublicCallsDeathTest, a_second_replier_names_the_reply) {
  EXPECT_DEATH(
      {
        Rig rig;
        Reply<int> reply(rig.loop, "price");
        Replier<int> first = reply.replier();
        Replier<int> second = reply.replier();
      },
      "cannot give away reply 'price': its other half was given to somebody before");
}

// Names that are gone by the time when they are read: the arguments die with the statement.
std::string composed(const char* what) { return std::string("a name which is not short: ") + what; }

TEST(PublicCallsDeathTest, a_temporary_name_is_there_when_it_is_needed) {
  EXPECT_DEATH(
      {
        Rig rig;
        Bell<> bell(rig.loop, composed("bell").c_str());
        rig.go([](Context& ctx, Bell<>& b) -> Task<> { (void)co_await b.wait(ctx); }(rig.root, bell));
        rig.idle();
      },
      "cannot destroy bell 'a name which is not short: bell'");
  EXPECT_DEATH(
      {
        Rig rig;
        WaitGroup group(rig.loop, composed("group").c_str());
        group.done();
      },
      "cannot count down wait group 'a name which is not short: group'");
}

Task<> idle_for_ever(Context& ctx) { (void)co_await sleep_for(ctx, Duration::max()); }
Task<Result<void>> fail() { co_return std::unexpected(Error::failed("no")); }

TEST(PublicCalls, a_temporary_name_of_a_task_is_in_the_census_and_in_errors) {
  Rig rig;
  Context stop(rig.root);
  WaitGroup group(rig.loop);
  spawn(group, composed("task"), idle_for_ever(stop));
  TaskHandle handle = spawn(rig.loop, composed("handle"), idle_for_ever(stop));
  ErrorGroup errors(rig.root, ErrorGroup::Policy::all_run);
  spawn(errors, composed("x"), fail());
  spawn(errors, composed("y"), fail());
  std::string census;
  rig.loop.each_task([&census](std::string_view name) { census.append(name).append(";"); });
  EXPECT_EQ(
      census,
      "a name which is not short: task;a name which is not short: handle;a name which is not short: x;a name "
      "which is not short: y;");
  TaskHandle moved = std::move(handle);
  EXPECT_EQ(moved.name(), "a name which is not short: handle");
  std::string log;
  rig.go([](Context& ctx, ErrorGroup& e, std::string& l) -> Task<> {
    Result<void> done = co_await e.wait(ctx);
    l = done.error().text();
  }(rig.root, errors, log));
  rig.idle();
  EXPECT_EQ(log, "2 tasks failed: a name which is not short: x: no; a name which is not short: y: no");
  stop.cancel();
  rig.idle();
}

TEST(PublicCalls, temporary_names_of_the_other_primitives_are_kept_too) {
  Rig rig;
  Watchdog watchdog(rig.root, seconds(1), composed("dog").c_str());
  Broadcast<int> broadcast(rig.loop, composed("news").c_str());
  Subscription<int> subscription(broadcast, 1);
  Semaphore semaphore(rig.loop, 1, composed("slots").c_str());
  Channel<int> channel(rig.loop, 1, composed("channel").c_str());
  channel.close();
  broadcast.close();
  rig.loop.advance(seconds(1));
  EXPECT_EQ(watchdog.context().cause().text(),
            "watchdog 'a name which is not short: dog': silent for too long");
  auto next = subscription.next(rig.root);
  ASSERT_TRUE(next.await_ready());
  EXPECT_EQ(next.await_resume().error().text(), "broadcast 'a name which is not short: news' is closed");
  auto receive = channel.receive(rig.root);
  ASSERT_TRUE(receive.await_ready());
  EXPECT_EQ(receive.await_resume().error().text(),
            "cannot receive from channel 'a name which is not short: channel': it is closed");
  auto acquire = semaphore.acquire(rig.root, 2);
  ASSERT_TRUE(acquire.await_ready());
  EXPECT_EQ(acquire.await_resume().error().text(),
            "cannot acquire from semaphore 'a name which is not short: slots': more units than it has");
}

TEST(PublicCallsDeathTest, a_context_that_goes_too_early_says_which_one_it_is) {
  EXPECT_DEATH(
      {
        Rig rig;
        auto parent = std::make_unique<Context>(rig.root, "request");
        Context child(*parent);
        parent.reset();
      },
      "cannot destroy context 'request': a child context or a wait still uses it");
}

std::unique_ptr<Context> made_here(Context& root) {
  return std::make_unique<Context>(root, __builtin_FUNCTION());
}
const char* name_of_one_without(Context& root) { return Context(root).name(); }

TEST(PublicCalls, a_context_without_a_name_is_called_by_the_function_that_made_it) {
  Rig rig;
  EXPECT_STREQ(made_here(rig.root)->name(), "made_here");
  EXPECT_STREQ(name_of_one_without(rig.root), "name_of_one_without");
}

TEST(PublicCalls, the_cause_of_a_context_that_is_not_cancelled_is_empty) {
  Rig rig;
  EXPECT_TRUE(rig.root.cause().empty());
}

TEST(PublicCallsDeathTest, a_task_that_is_gone_cannot_be_spawned) {
  EXPECT_DEATH(
      {
        Rig rig;
        Task<> task = idle_for_ever(rig.root);
        Task<> other = std::move(task);
        spawn(rig.tasks, "ghost", std::move(task));
      },
      "cannot spawn task 'ghost': it was moved away or awaited before");
}

TEST(PublicCallsDeathTest, a_handle_that_was_moved_away_does_not_say_that_all_is_well) {
  EXPECT_DEATH(
      {
        Rig rig;
        TaskHandle first = spawn(rig.loop, "mover", idle_for_ever(rig.root));
        TaskHandle second = std::move(first);
        (void)first.join(rig.root);
      },
      "the handle was moved away");
}

TEST(PublicCallsDeathTest, a_subscription_that_can_hold_nothing_names_the_broadcast) {
  EXPECT_DEATH(
      {
        Rig rig;
        Broadcast<int> broadcast(rig.loop, "news");
        Subscription<int> subscription(broadcast, 0);
      },
      "cannot subscribe to 'news': a buffer of 0 holds nothing");
}

TEST(PublicCallsDeathTest, a_link_cannot_be_in_two_lists) {
  EXPECT_DEATH(
      {
        struct Item : IntrusiveLink {};
        IntrusiveList<Item> a;
        IntrusiveList<Item> b;
        Item item;
        a.push_back(item);
        b.push_back(item);
      },
      "it is in one already");
}

TEST(PublicCallsDeathTest, a_timer_without_work_says_so) {
  EXPECT_DEATH(
      {
        Rig rig;
        Timer timer(rig.loop);
        timer.arm(rig.clock.now(), nullptr);
      },
      "cannot arm a timer");
}

TEST(PublicCalls, a_callback_that_is_posted_twice_runs_once) {
  Rig rig;
  struct Counted final : Callback {
    void run() noexcept override { ++runs; }
    int runs = 0;
  } callback;
  rig.loop.wake(callback);
  rig.loop.wake(callback);
  rig.loop.wake_afterwards(callback);
  rig.idle();
  EXPECT_EQ(callback.runs, 1);
}

TEST(PublicCallsDeathTest, a_case_that_goes_while_a_select_waits_with_it_is_seen) {
  EXPECT_DEATH(
      {
        Rig rig;
        Bell<> bell(rig.loop, "bell");
        auto gone = std::make_unique<BellCase>(bell.listener().core());
        rig.go(
            [](Context& ctx, BellCase& one) -> Task<> { (void)co_await select(ctx, one); }(rig.root, *gone));
        rig.idle();
        gone.reset();
      },
      "cannot destroy case");
}

TEST(PublicCalls, threads_that_ran_a_loop_leave_nothing_behind) {
  const auto run_one = [] {
    std::thread([] {
      Loop loop;
      Context root(loop);
      Context stop(root);
      WaitGroup group(loop);
      for (int i = 0; i < 2000; ++i) spawn(group, "sleeper", idle_for_ever(stop));
      loop.run_until_idle();
      stop.cancel();
      loop.run();
    }).join();
  };
  run_one();
  const std::size_t before = detail::slabs();
  for (int i = 0; i < 20; ++i) run_one();
  EXPECT_EQ(detail::slabs(), before) << "what one has used, the next one takes over";
}

TEST(PublicCalls, frames_may_be_released_by_another_thread_than_made_them) {
  for (int i = 0; i < 3; ++i) {
    auto loop = std::make_unique<Loop>();
    Context root(*loop);
    Context stop(root);
    stop.cancel();
    WaitGroup group(*loop);
    for (int n = 0; n < 100; ++n) spawn(group, "sleeper", idle_for_ever(stop));
    std::thread([&loop] { EXPECT_EQ(loop->run(), RunEnd::finished); }).join();
    EXPECT_EQ(group.count(), 0U);
  }
}

}  // namespace
}  // namespace belfry
