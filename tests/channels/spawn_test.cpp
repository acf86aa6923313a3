#include "channels/spawn.hpp"

#include <stdexcept>

#include "channels/bell.hpp"
#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> sleep(Context& ctx, Duration d) { (void)co_await sleep_for(ctx, d); }
Task<> fail(Context&) {
  throw std::runtime_error("out of cheese");
  co_return;
}
Task<> join_into(Context& ctx, TaskHandle& handle, std::vector<std::string>& log) {
  Result<void> joined = co_await handle.join(ctx);
  log.push_back(joined ? "ok" : joined.error().text());
}

TEST(Spawn, a_task_starts_in_the_coming_turn_not_inside_spawn) {
  Rig rig;
  bool ran = false;
  rig.go([](bool& r) -> Task<> {
    r = true;
    co_return;
  }(ran));
  EXPECT_FALSE(ran);
  rig.idle();
  EXPECT_TRUE(ran);
}

TEST(Spawn, join_waits_for_the_end) {
  Rig rig;
  std::vector<std::string> log;
  TaskHandle handle = spawn(rig.loop, "sleeper", sleep(rig.root, seconds(2)));
  rig.go(join_into(rig.root, handle, log));
  rig.go(join_into(rig.root, handle, log));
  rig.loop.advance(seconds(1));
  EXPECT_TRUE(log.empty());
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, (std::vector<std::string>{"ok", "ok"}));
}

TEST(Spawn, join_after_the_end_does_not_wait) {
  Rig rig;
  TaskHandle handle = spawn(rig.loop, "sleeper", sleep(rig.root, seconds(0)));
  rig.idle();
  EXPECT_TRUE(handle.done());
  auto join = handle.join(rig.root);
  EXPECT_TRUE(join.await_ready());
  EXPECT_TRUE(join.await_resume().has_value());
}

TEST(Spawn, an_exception_reaches_the_owner_with_the_name_of_the_task) {
  Rig rig;
  std::vector<std::string> log;
  TaskHandle handle = spawn(rig.loop, "shopper", fail(rig.root));
  rig.go(join_into(rig.root, handle, log));
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"task 'shopper' threw: out of cheese"}));
}

TEST(Spawn, a_cancelled_join_leaves_the_task_running) {
  Rig rig;
  std::vector<std::string> log;
  Context patience(rig.root, rig.clock.now() + seconds(1));
  TaskHandle handle = spawn(rig.loop, "sleeper", sleep(rig.root, seconds(5)));
  rig.go(join_into(patience, handle, log));
  rig.loop.advance(seconds(2));
  EXPECT_EQ(log, (std::vector<std::string>{"deadline exceeded"}));
  EXPECT_FALSE(handle.done());
  rig.loop.advance(seconds(3));
  EXPECT_TRUE(handle.done());
}

TEST(Spawn, the_end_of_the_task_beats_a_cancelled_join_of_the_same_turn) {
  Rig rig;
  std::vector<std::string> log;
  Bell<> bell(rig.loop, "go");
  Context patience(rig.root);
  struct Body {
    static Task<> run(Context& ctx, Bell<>& bell, Context& patience) {
      (void)co_await bell.wait(ctx);
      patience.cancel();
    }
  };
  TaskHandle handle = spawn(rig.loop, "canceller", Body::run(rig.root, bell, patience));
  rig.go(join_into(patience, handle, log));
  rig.idle();
  bell.ring();
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"ok"}));
}

TEST(Spawn, the_census_names_every_task_that_has_not_finished) {
  Rig rig;
  TaskHandle a = spawn(rig.loop, "first", sleep(rig.root, seconds(1)));
  TaskHandle b = spawn(rig.loop, "second", sleep(rig.root, seconds(2)));
  std::vector<std::string> names;
  rig.loop.each_task([&names](std::string_view name) { names.emplace_back(name); });
  EXPECT_EQ(names, (std::vector<std::string>{"first", "second"}));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(rig.loop.tasks(), 1U);
  rig.loop.advance(seconds(1));
  EXPECT_EQ(rig.loop.tasks(), 0U);
}

TEST(Spawn, a_handle_can_be_moved_while_the_task_runs) {
  Rig rig;
  TaskHandle a = spawn(rig.loop, "moved", sleep(rig.root, seconds(1)));
  TaskHandle b = std::move(a);
  rig.loop.advance(seconds(1));
  EXPECT_TRUE(b.done());
}

TEST(Spawn, a_task_left_to_the_loop_is_nobodys_to_join) {
  Rig rig;
  spawn(rig.loop, "background", sleep(rig.root, seconds(1))).leave_to_loop();
  EXPECT_EQ(rig.loop.tasks(), 1U);
  rig.loop.advance(seconds(1));
}

TEST(SpawnDeathTest, dropping_the_handle_of_a_running_task_names_the_task) {
  EXPECT_DEATH(
      {
        Rig rig;
        {
          TaskHandle dropped = spawn(rig.loop, "forgotten", sleep(rig.root, seconds(1)));
        }
      },
      "cannot drop the handle of task 'forgotten'");
}

TEST(SpawnDeathTest, an_exception_that_nobody_joins_ends_the_process_with_the_name) {
  EXPECT_DEATH(
      {
        Rig rig;
        spawn(rig.loop, "background", fail(rig.root)).leave_to_loop();
        rig.idle();
      },
      "task 'background': it threw and nobody joins it: out of cheese");
}

Task<> join_self_below(Context& ctx, std::optional<TaskHandle>& self) { (void)co_await self->join(ctx); }
Task<int> join_self(Context& ctx, std::optional<TaskHandle>& self) {
  co_await join_self_below(ctx, self);
  co_return 1;
}
Task<> join_self_deep(Context& ctx, std::optional<TaskHandle>& self) { (void)co_await join_self(ctx, self); }

TEST(SpawnDeathTest, a_task_that_joins_itself_however_deep_in_its_calls_names_itself) {
  EXPECT_DEATH(
      {
        Rig rig;
        std::optional<TaskHandle> self;
        self.emplace(spawn(rig.loop, "ouroboros", join_self_deep(rig.root, self)));
        rig.idle();
      },
      "cannot join task 'ouroboros': it would wait for itself");
}

Task<> spawn_more(Context& ctx, WaitGroup& group, int depth, int& runs) {
  ++runs;
  for (int i = 0; depth > 0 && i < 3; ++i) spawn(group, "child", spawn_more(ctx, group, depth - 1, runs));
  co_return;
}

TEST(Spawn, tasks_that_spawn_tasks_all_run) {
  Rig rig;
  int runs = 0;
  rig.go(spawn_more(rig.root, rig.tasks, 5, runs));
  rig.idle();
  EXPECT_EQ(runs, 1 + 3 + 9 + 27 + 81 + 243);
}

struct JoinScenario {
  Loop& loop;
  WaitGroup tasks{loop};
  std::vector<std::string> log;
  Context child;

  JoinScenario(Loop& l, Context& root) : loop(l), child(root) {
    spawn(tasks, "outer", outer(loop, root, child));
  }
  static Task<> outer(Loop& loop, Context& root, Context& child) {
    TaskHandle handle = spawn(loop, "inner", sleep(child, seconds(1)));
    Result<void> joined = co_await handle.join(root);
    TaskHandle failing = spawn(loop, "failing", fail(root));
    Result<void> failed = co_await failing.join(root);
    EXPECT_TRUE(joined.has_value());
    EXPECT_FALSE(failed.has_value());
  }
};

TEST(Spawn, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<JoinScenario>(), 4); }

}  // namespace
}  // namespace belfry
