// No error vanishes: it is read by whoever answers for the task, or it is said when he goes.
#include <stdexcept>

#include "channels/error_group.hpp"
#include "channels/handshake.hpp"
#include "channels/mailbox.hpp"
#include "channels/once.hpp"
#include "channels/sleep.hpp"
#include "channels/worker_pool.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> boom(Context&) {
  throw std::runtime_error("boom");
  co_return;
}
Task<> boom_with(Context&, const char* text) {
  throw std::runtime_error(text);
  co_return;
}
Task<> boom_later(Context& ctx, Duration when, const char* text) {
  (void)co_await sleep_for(ctx, when);
  throw std::runtime_error(text);
}
Task<> join_into(Context& ctx, TaskHandle& handle, std::string& log) {
  Result<void> joined = co_await handle.join(ctx);
  log += joined ? "ok;" : joined.error().text() + ";";
}
Task<> await_group(Context& ctx, WaitGroup& group, std::string& log) {
  Result<void> done = co_await group.wait(ctx);
  log += done ? "zero;" : done.error().text() + ";";
}
Task<> stop_into(Context& ctx, Handshake& handshake, std::string& log) {
  Result<void> stopped = co_await handshake.stop(ctx);
  log += stopped ? "stopped;" : stopped.error().text() + ";";
}

// What a program that ends in good order does with them.
struct Heard {
  explicit Heard(Loop& loop) {
    loop.on_unread_error(
        [this](const std::string& who, const Error& error) { text += who + ": " + error.text() + ";"; });
  }
  std::string text;
};

TEST(UnreadErrorDeathTest, the_main_of_the_readme_does_not_end_as_if_all_went_well) {
  EXPECT_DEATH(
      {
        Loop loop;
        Context root(loop);
        TaskHandle program = spawn(loop, "main", boom(root));
        loop.run();
      },
      "cannot drop the handle of task 'main': nobody has read its error: task 'main' threw: boom");
}

TEST(UnreadErrorDeathTest, nor_does_one_with_a_group_a_handshake_or_an_error_group) {
  EXPECT_DEATH(
      {
        Loop loop;
        Context root(loop);
        WaitGroup tasks(loop, "tasks");
        spawn(tasks, "client", boom(root));
        loop.run();
      },
      "cannot destroy wait group 'tasks': nobody has read its error: task 'client' threw: boom");
  EXPECT_DEATH(
      {
        Loop loop;
        Context root(loop);
        Handshake server(root, "server");
        spawn(server, boom(root));
        loop.run();
      },
      "cannot destroy handshake 'server': nobody has read its error: task 'server' threw: boom");
  EXPECT_DEATH(
      {
        struct Body {
          static Task<Result<void>> run() { co_return std::unexpected(Error::failed("no disk")); }
        };
        Loop loop;
        Context root(loop);
        ErrorGroup files(root, ErrorGroup::Policy::all_run, "files");
        spawn(files, "journal", Body::run());
        loop.run();
      },
      "cannot destroy error group 'files': nobody has read its error: no disk");
}

TEST(UnreadError, one_that_was_read_is_not_said_again) {
  Rig rig;
  Heard heard(rig.loop);
  std::string log;
  {
    TaskHandle joined = spawn(rig.loop, "joined", boom(rig.root));
    TaskHandle asked = spawn(rig.loop, "asked", boom(rig.root));
    WaitGroup group(rig.loop, "group");
    spawn(group, "member", boom(rig.root));
    Handshake stopped(rig.root, "stopped");
    spawn(stopped, boom(rig.root));
    Handshake looked_at(rig.root, "looked at");
    spawn(looked_at, boom(rig.root));
    rig.go(join_into(rig.root, joined, log));
    rig.go(await_group(rig.root, group, log));
    rig.idle();
    rig.go(stop_into(rig.root, stopped, log));
    rig.idle();
    EXPECT_EQ(asked.result().error().text(), "task 'asked' threw: boom");
    EXPECT_EQ(looked_at.error()->text(), "task 'looked at' threw: boom");
  }
  EXPECT_EQ(log, "task 'joined' threw: boom;task 'member' threw: boom;task 'stopped' threw: boom;");
  EXPECT_EQ(heard.text, "");
}

TEST(UnreadError, a_program_that_wants_to_end_in_good_order_is_told_and_goes_on) {
  Rig rig;
  Heard heard(rig.loop);
  {
    TaskHandle handle = spawn(rig.loop, "a", boom(rig.root));
    rig.idle();
  }
  EXPECT_EQ(heard.text,
            "cannot drop the handle of task 'a': nobody has read its error: task 'a' threw: boom;");
  heard.text.clear();
  {
    TaskHandle handle = spawn(rig.loop, "b", boom(rig.root));
    std::move(handle).leave_to_loop();
  }
  rig.idle();
  EXPECT_EQ(heard.text, "cannot go on after task 'b': it threw and nobody joins it: boom;");
}

TEST(UnreadError, what_had_been_thrown_before_the_task_was_left_to_the_loop_is_said_too) {
  Rig rig;
  Heard heard(rig.loop);
  TaskHandle handle = spawn(rig.loop, "late", boom(rig.root));
  rig.idle();
  std::move(handle).leave_to_loop();
  EXPECT_EQ(heard.text,
            "cannot leave to the loop task 'late': nobody has read its error: task 'late' threw: boom;");
}

TEST(UnreadError, the_result_of_a_task_that_still_runs_is_not_ok) {
  Rig rig;
  TaskHandle handle = spawn(rig.loop, "sleeper", [](Context& ctx) -> Task<> {
    (void)co_await sleep_for(ctx, seconds(1));
  }(rig.root));
  EXPECT_EQ(handle.result().error().kind(), Error::Kind::refused);
  rig.loop.advance(seconds(1));
  EXPECT_TRUE(handle.result().has_value());
}

TEST(UnreadError, a_handle_takes_its_error_along_when_it_moves) {
  Rig rig;
  Heard heard(rig.loop);
  TaskHandle first = spawn(rig.loop, "mover", boom(rig.root));
  rig.idle();
  TaskHandle second = std::move(first);
  EXPECT_FALSE(second.result().has_value());
  EXPECT_EQ(heard.text, "");
}

TEST(UnreadError, a_reused_group_tells_each_round_its_own_errors_all_of_them) {
  Rig rig;
  std::string log;
  WaitGroup group(rig.loop, "group");
  spawn(group, "a", boom_with(rig.root, "first"));
  spawn(group, "b", boom_with(rig.root, "second"));
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  EXPECT_EQ(log, "task 'a' threw: first; task 'b' threw: second;");
  log.clear();
  spawn(group, "c", boom_with(rig.root, "third"));
  rig.idle();
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  EXPECT_EQ(log, "task 'c' threw: third;");
  log.clear();
  group.add();
  group.done();
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  EXPECT_EQ(log, "zero;");
}

TEST(UnreadError, what_nobody_has_read_of_a_round_is_told_with_the_next) {
  Rig rig;
  std::string log;
  WaitGroup group(rig.loop, "group");
  spawn(group, "a", boom_with(rig.root, "first"));
  rig.idle();
  spawn(group, "b", boom_with(rig.root, "second"));
  rig.idle();
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  EXPECT_EQ(log, "task 'a' threw: first; task 'b' threw: second;");
}

TEST(UnreadError, all_who_wait_for_a_round_are_told_although_the_first_of_them_begins_the_next) {
  Rig rig;
  std::string log;
  WaitGroup group(rig.loop, "group");
  struct Body {
    static Task<> run(Context& ctx, WaitGroup& group, std::string& log) {
      co_await await_group(ctx, group, log);
      spawn(group, "next", [](Context&) -> Task<> { co_return; }(ctx));
    }
  };
  spawn(group, "a", boom_later(rig.root, seconds(1), "boom"));
  rig.go(Body::run(rig.root, group, log));
  rig.go(await_group(rig.root, group, log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "task 'a' threw: boom;task 'a' threw: boom;");
}

TEST(UnreadError, a_cancelled_wait_has_read_nothing) {
  Rig rig;
  Heard heard(rig.loop);
  std::string log;
  Context impatient(rig.root);
  {
    WaitGroup group(rig.loop, "group");
    spawn(group, "a", boom_later(rig.root, seconds(1), "boom"));
    rig.go(await_group(impatient, group, log));
    rig.idle();
    impatient.cancel();
    rig.loop.advance(seconds(2));
  }
  EXPECT_EQ(log, "cancelled;");
  EXPECT_EQ(heard.text,
            "cannot destroy wait group 'group': nobody has read its error: task 'a' threw: boom;");
}

TEST(UnreadError, a_group_that_nobody_waits_for_before_the_end_tells_them_at_once) {
  Rig rig;
  Heard heard(rig.loop);
  std::string log;
  WaitGroup group(rig.loop, "group", WaitGroup::Thrown::told_at_once);
  spawn(group, "a", boom(rig.root));
  rig.idle();
  EXPECT_EQ(heard.text, "cannot go on after task 'a': it threw: boom;");
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  EXPECT_EQ(log, "zero;");
}

TEST(UnreadError, what_a_callback_throws_is_told_and_the_loop_goes_on) {
  Rig rig;
  Heard heard(rig.loop);
  const auto throws = [] { throw std::runtime_error("boom"); };
  Timer timer(rig.loop);
  timer.arm(rig.clock.now() + seconds(1), throws);
  rig.loop.post(throws);
  rig.idle();
  EXPECT_EQ(heard.text, "cannot go on after callback 'posted': it threw: boom;");
  heard.text.clear();
  rig.loop.advance(seconds(1));
  EXPECT_EQ(heard.text, "cannot go on after callback 'of a timer': it threw: boom;");
  heard.text.clear();
  const Mailbox mailbox(rig.loop);
  mailbox.post(throws);
  rig.idle();
  EXPECT_EQ(heard.text, "cannot go on after handler 'asio': it threw: boom;");
  bool ran = false;
  mailbox.post([&ran] { ran = true; });
  rig.idle();
  EXPECT_TRUE(ran);
}

TEST(UnreadError, of_very_many_the_text_stays_bounded) {
  Rig rig;
  std::string log;
  WaitGroup group(rig.loop, "group");
  const std::string long_text(1000, 'x');
  for (int i = 0; i < 1000; ++i) spawn(group, "a", boom_with(rig.root, long_text.c_str()));
  rig.go(await_group(rig.root, group, log));
  rig.idle();
  EXPECT_GT(log.size(), 8000U);
  EXPECT_LT(log.size(), 20000U);
  EXPECT_TRUE(log.ends_with("; and others;")) << log.substr(log.size() - 40);
}

Task<Result<void>> step(Context& ctx, Duration takes, const char* error, bool throws) {
  Result<void> slept = co_await sleep_for(ctx, takes);
  if (throws) throw std::runtime_error(error);
  if (!slept) co_return std::unexpected(slept.error().wrap("while asleep"));
  co_return std::unexpected(Error::failed(error));
}
Task<> await_all(Context& ctx, ErrorGroup& group, std::string& log) {
  Result<void> done = co_await group.wait(ctx);
  log += done ? "ok;" : done.error().text() + ";";
}

TEST(UnreadError, a_sibling_that_throws_on_its_way_out_is_added_to_the_first_error_and_an_echo_is_not) {
  Rig rig;
  std::string log;
  ErrorGroup group(rig.root, ErrorGroup::Policy::first_error_cancels, "start");
  spawn(group, "first", step(group.context(), seconds(1), "no disk", false));
  spawn(group, "echo", step(group.context(), seconds(9), "", false));
  spawn(group, "bug", step(group.context(), seconds(9), "broken", true));
  rig.go(await_all(rig.root, group, log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "2 tasks failed: first: no disk; bug: task 'bug' threw: broken;");
}

TEST(UnreadError, a_reused_error_group_does_not_repeat_what_was_read) {
  Rig rig;
  std::string log;
  ErrorGroup group(rig.root, ErrorGroup::Policy::all_run, "close");
  for (const char* error : {"first", "second"}) {
    spawn(group, "a", step(group.context(), seconds(1), error, false));
    rig.go(await_all(rig.root, group, log));
    rig.loop.advance(seconds(1));
  }
  EXPECT_EQ(log, "first;second;");
}

TEST(UnreadError, every_item_of_a_pool_that_threw_is_told) {
  Rig rig;
  Heard heard(rig.loop);
  {
    WorkerPool<int> pool(rig.root, 1, 4, "pool", [](Context&, int item) -> Task<> {
      throw std::runtime_error(std::to_string(item));
      co_return;
    });
    for (int i : {1, 2}) EXPECT_TRUE(pool.try_submit(i));
    pool.close();
    rig.idle();
  }
  EXPECT_EQ(heard.text,
            "cannot destroy worker pool 'pool': nobody has read its error: task 'pool' threw: 1; task 'pool' "
            "threw: "
            "2;");
}

TEST(UnreadErrorTeardown, of_an_abandoned_loop_it_is_printed_and_the_teardown_goes_on) {
  ManualClock clock;
  Loop loop(clock);
  Context root(loop);
  testing::internal::CaptureStderr();
  {
    TaskHandle handle = spawn(loop, "late", boom(root));
    loop.run_until_idle();
    loop.abandon();
  }
  EXPECT_EQ(
      testing::internal::GetCapturedStderr(),
      "belfry: cannot drop the handle of task 'late': nobody has read its error: task 'late' threw: boom\n");
}

}  // namespace
}  // namespace belfry
