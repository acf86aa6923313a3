#include "channels/task_dump.hpp"

#include "channels/asio_case.hpp"
#include "channels/broadcast.hpp"
#include "channels/channel_case.hpp"
#include "channels/handshake.hpp"
#include "channels/mutex.hpp"
#include "channels/request.hpp"
#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/ticker.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::milliseconds;
using test::Rig;
using test::seconds;

struct World {
  explicit World(Rig& rig) : loop(rig.loop), ctx(rig.root) {}
  Loop& loop;
  Context ctx;
  Bell<> bell{loop, "ready"};
  Channel<int> channel{loop, 0, "jobs"};
  Semaphore limit{loop, 1, "limit"};
  Mutex mutex{loop, "journal"};
  Wakeup wakeup{loop, "attention"};
  Broadcast<int> radio{loop, "radio"};
  Subscription<int> news{radio, 1};
  Ticker ticker{loop, seconds(10), "recheck"};
  Reply<int> reply{loop, "answer"};
  Replier<int> replier = reply.replier();
  WaitGroup nobody{loop, "helpers"};
};

Task<> wait_for_bell(World& w) { (void)co_await w.bell.wait(w.ctx); }
Task<> deep(World& w) { co_await wait_for_bell(w); }
Task<> deeper(World& w) { co_await deep(w); }
Task<> wait_to_send(World& w, Channel<int>& full) { (void)co_await full.send(w.ctx, 1); }
Task<> wait_to_receive(World& w) { (void)co_await w.channel.receive(w.ctx); }
Task<> wait_for_units(World& w) { (void)co_await w.limit.acquire(w.ctx); }
Task<> wait_for_lock(World& w) { (void)co_await w.mutex.lock(w.ctx); }
Task<> wait_for_notify(World& w) { (void)co_await w.wakeup.wait(w.ctx); }
Task<> wait_for_news(World& w) { (void)co_await w.news.next(w.ctx); }
Task<> wait_for_tick(World& w) { (void)co_await w.ticker.next(w.ctx); }
Task<> wait_for_answer(World& w) { (void)co_await w.reply.wait(w.ctx); }
Task<> wait_for_group(World& w) { (void)co_await w.nobody.wait(w.ctx); }
Task<> wait_for_time(World& w) { (void)co_await sleep_for(w.ctx, seconds(90)); }
Task<> wait_for_several(World& w) {
  auto rung = on(w.bell);
  auto item = receive(w.channel);
  auto none = never();
  auto late = after(w.loop, seconds(60));
  (void)co_await select(w.ctx, rung, item, none, late);
}
Task<> wait_for_nothing(World& w) {
  auto none = never();
  (void)co_await select(w.ctx, none);
}

std::string kind_and_text(const TaskState& task) {
  switch (task.kind) {
    case TaskState::Kind::starts: return "starts";
    case TaskState::Kind::ready: return "ready";
    case TaskState::Kind::running: return "running";
    case TaskState::Kind::waits: return task.what;
  }
  return "";
}

std::string only(Loop& loop) {
  const std::vector<TaskState> tasks = task_dump(loop);
  return tasks.size() == 1 ? kind_and_text(tasks.front()) : std::to_string(tasks.size()) + " tasks";
}

TEST(TaskDump, says_of_each_kind_of_wait_what_it_is) {
  struct Kind {
    Task<> (*task)(World&);
    std::string what;
  };
  const std::vector<Kind> kinds{
      {&wait_for_bell, "bell 'ready'"},
      {&deeper, "bell 'ready'"},
      {&wait_to_receive, "a value from channel 'jobs'"},
      {&wait_for_units, "semaphore 'limit'"},
      {&wait_for_lock, "mutex 'journal'"},
      {&wait_for_notify, "wakeup 'attention'"},
      {&wait_for_news, "broadcast 'radio'"},
      {&wait_for_tick, "ticker 'recheck'"},
      {&wait_for_answer, "reply 'answer'"},
      {&wait_for_group, "1 of wait group 'helpers'"},
      {&wait_for_time, "a moment in 90.00 s"},
      {&wait_for_several, "bell 'ready', or a value from channel 'jobs', or a moment in 60.00 s"},
      {&wait_for_nothing, "nothing that could ever come"},
  };
  for (const Kind& kind : kinds) {
    Rig rig;
    World world(rig);
    std::optional<Permit> units = world.limit.try_acquire();
    std::optional<Permit> held = world.mutex.try_lock();
    world.nobody.add();
    rig.go(kind.task(world));
    EXPECT_EQ(only(rig.loop), "starts");
    rig.idle();
    EXPECT_EQ(only(rig.loop), kind.what);
    world.ctx.cancel();
    EXPECT_EQ(only(rig.loop), "ready") << kind.what;
    rig.idle();
    EXPECT_EQ(only(rig.loop), "0 tasks");
    world.nobody.done();
  }
}

TEST(TaskDump, says_who_waits_for_room_and_for_an_operation_of_asio) {
  Rig rig;
  World world(rig);
  rig.go(wait_to_send(world, world.channel));
  rig.idle();
  EXPECT_EQ(only(rig.loop), "room in channel 'jobs'");
  world.ctx.cancel();
  rig.idle();

  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer(rig.loop.executor());
  timer.expires_after(std::chrono::hours(1));
  Context ctx(rig.root);
  struct Body {
    static Task<> run(Context& ctx, decltype(timer)& timer) {
      (void)co_await async(ctx, timer.async_wait(deferred));
    }
  };
  rig.go(Body::run(ctx, timer));
  rig.idle();
  EXPECT_EQ(only(rig.loop), "an Asio operation");
  ctx.cancel();
  rig.idle();
}

TEST(TaskDump, says_since_when_to_within_two_hundredths_of_a_second) {
  Rig rig;
  World world(rig);
  rig.loop.advance(std::chrono::hours(24 * 200));
  rig.go(wait_for_bell(world));
  rig.idle();
  for (const Duration time : {Duration(milliseconds(0)), Duration(milliseconds(350)), Duration(seconds(3)),
                              Duration(std::chrono::hours(24 * 365))}) {
    rig.loop.advance(time);
    const Duration before = task_dump(rig.loop).front().for_long;
    EXPECT_LE(before, Duration(std::chrono::hours(24 * 366)));
  }
  const Duration all = milliseconds(3350) + std::chrono::hours(24 * 365);
  EXPECT_NEAR(std::chrono::duration<double>(task_dump(rig.loop).front().for_long - all).count(), 0, 0.04);
  world.ctx.cancel();
  rig.idle();
}

TEST(TaskDump, who_was_released_is_about_to_go_on_and_who_asks_runs) {
  Rig rig;
  World world(rig);
  std::string seen;
  struct Body {
    static Task<> look(World& w, std::string& seen) {
      (void)co_await w.bell.wait(w.ctx);
      for (const TaskState& task : task_dump(w.loop)) seen += kind_and_text(task) + ";";
    }
  };
  rig.go(Body::look(world, seen));
  rig.go(wait_for_bell(world));
  rig.go(wait_to_receive(world));
  rig.idle();
  world.bell.ring();
  for (const TaskState& task : task_dump(rig.loop)) seen += kind_and_text(task) + ";";
  rig.idle();
  EXPECT_EQ(seen, "ready;ready;a value from channel 'jobs';running;ready;a value from channel 'jobs';");
  world.ctx.cancel();
  rig.idle();
}

TEST(TaskDump, contexts_of_any_depth_and_number_are_walked) {
  Rig rig;
  World world(rig);
  std::vector<std::unique_ptr<Context>> chain;
  chain.push_back(std::make_unique<Context>(rig.root));
  for (int i = 0; i < 100000; ++i) chain.push_back(std::make_unique<Context>(*chain.back()));
  Context other_root(rig.loop);
  struct Body {
    static Task<> wait(Context& ctx, Bell<>& bell) { (void)co_await bell.wait(ctx); }
  };
  rig.go(Body::wait(*chain.back(), world.bell));
  rig.go(Body::wait(other_root, world.bell));
  rig.idle();
  EXPECT_EQ(
      to_text(task_dump(rig.loop)),
      "test task: waits since 0.00 s for bell 'ready'\ntest task: waits since 0.00 s for bell 'ready'\n");
  world.bell.ring();
  rig.idle();
  while (!chain.empty()) chain.pop_back();
}

TEST(TaskDump, all_asleep_is_told_with_what_each_waits_for) {
  Loop loop;
  Context root(loop);
  Bell<> never_rung(loop, "never rung");
  WaitGroup tasks(loop);
  struct Body {
    static Task<> wait(Context& ctx, Bell<>& bell) { (void)co_await bell.wait(ctx); }
  };
  spawn(tasks, "sleeper", Body::wait(root, never_rung));
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  EXPECT_EQ(to_text(task_dump(loop)), "sleeper: waits since 0.00 s for bell 'never rung'\n");
  loop.abandon();
}

TEST(BackgroundWait, does_not_keep_a_loop_from_being_asleep_and_is_heard_all_the_same) {
  Loop loop;
  Context root(loop);
  Bell<> bell(loop, "bell");
  WaitGroup tasks(loop);
  asio::basic_stream_socket<asio::local::stream_protocol, Executor> near(loop.executor());
  asio::basic_stream_socket<asio::local::stream_protocol, Executor> far(loop.executor());
  asio::local::connect_pair(near, far);
  near.async_wait(asio::socket_base::wait_read, [&](const error_code& error) {
    loop.end_background_wait();
    if (!error) bell.ring();
  });
  loop.begin_background_wait();
  struct Body {
    static Task<> wait(Context& ctx, Bell<>& bell) { (void)co_await bell.wait(ctx); }
  };
  spawn(tasks, "sleeper", Body::wait(root, bell));
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  asio::write(far, asio::buffer("x", 1));
  EXPECT_EQ(loop.run(), RunEnd::finished)
      << "what stood in the queue is looked at before it is called asleep";
}

}  // namespace
}  // namespace belfry
