// How the library fits into programs of others: their io_context, their awaitables, threads, error codes.
#include <array>
#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "channels/asio_bridge.hpp"
#include "channels/awaitable.hpp"
#include "channels/error_code.hpp"
#include "channels/run_blocking.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn_value.hpp"
#include "channels/when_all.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::milliseconds;
using test::Rig;
using test::seconds;

// --- a child with a deadline

TEST(Within, is_a_child_with_a_deadline_in_one_word) {
  Rig rig;
  Context soon = within(rig.root, seconds(5));
  Context earlier(soon, seconds(1));
  Context not_later = within(earlier, seconds(60));
  EXPECT_EQ(*soon.deadline(), rig.clock.now() + seconds(5));
  EXPECT_EQ(*not_later.deadline(), rig.clock.now() + seconds(1));
  Context never_ends = within(rig.root, Duration::max());
  EXPECT_FALSE(never_ends.cancelled());
  rig.loop.advance(seconds(1));
  EXPECT_TRUE(not_later.cancelled());
  EXPECT_FALSE(soon.cancelled());
}

// --- the value of a task

Task<int> add(Context& ctx, int a, int b) {
  (void)co_await sleep_for(ctx, seconds(1));
  co_return a + b;
}
Task<Result<std::string>> fail_or(Context& ctx, bool fail) {
  (void)co_await sleep_for(ctx, seconds(1));
  if (fail) co_return std::unexpected(Error::failed("no luck"));
  co_return "luck";
}
Task<int> throw_up(Context& ctx) {
  (void)co_await sleep_for(ctx, seconds(1));
  throw std::runtime_error("broken");
}

struct Joined {
  std::string log;
  template <class T>
  static Task<> join(Context& ctx, ValueHandle<T>& handle, std::string& log) {
    auto result = co_await handle.join(ctx);
    if constexpr (std::is_same_v<T, int>) {
      log += (result ? std::to_string(*result) : result.error().text()) + ";";
    } else {
      log += (result ? *result : result.error().text()) + ";";
    }
  }
};

TEST(SpawnValue, the_handle_gives_what_the_task_returned_also_when_it_was_moved) {
  Rig rig;
  std::string log;
  ValueHandle<int> first = spawn(rig.loop, "add", add(rig.root, 40, 2));
  ValueHandle<int> sum = std::move(first);
  ValueHandle<Result<std::string>> good = spawn(rig.loop, "good", fail_or(rig.root, false));
  ValueHandle<Result<std::string>> bad = spawn(rig.loop, "bad", fail_or(rig.root, true));
  ValueHandle<int> broken = spawn(rig.loop, "broken", throw_up(rig.root));
  rig.go(Joined::join(rig.root, sum, log));
  rig.go(Joined::join(rig.root, good, log));
  rig.go(Joined::join(rig.root, bad, log));
  rig.go(Joined::join(rig.root, broken, log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "42;luck;no luck;task 'broken' threw: broken;");
}

TEST(SpawnValue, a_join_that_is_cancelled_leaves_the_task_alone) {
  Rig rig;
  std::string log;
  ValueHandle<int> sum = spawn(rig.loop, "add", add(rig.root, 1, 2));
  Context impatient = within(rig.root, milliseconds(10));
  rig.go(Joined::join(impatient, sum, log));
  rig.loop.advance(milliseconds(10));
  rig.go(Joined::join(rig.root, sum, log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "deadline exceeded;3;");
}

// --- when_all, race

Task<Result<int>> number_after(Context& ctx, Duration time, int number) {
  Result<void> slept = co_await sleep_for(ctx, time);
  if (!slept) co_return std::unexpected(slept.error());
  co_return number;
}
Task<Result<std::string>> text_after(Context& ctx, Duration time, std::string text) {
  Result<void> slept = co_await sleep_for(ctx, time);
  if (!slept) co_return std::unexpected(slept.error());
  co_return text;
}
Task<Result<void>> nothing_after(Context& ctx, Duration time) {
  Result<void> slept = co_await sleep_for(ctx, time);
  co_return slept;
}
Task<Result<int>> fail_after(Context& ctx, Duration time, std::string why) {
  Result<void> slept = co_await sleep_for(ctx, time);
  if (!slept) co_return std::unexpected(slept.error());
  co_return std::unexpected(Error::failed(std::move(why)));
}
Task<Result<int>> throw_after(Context& ctx, Duration time) {
  (void)co_await sleep_for(ctx, time);
  throw std::runtime_error("broken");
}

TEST(WhenAll, gives_every_value_when_all_have_ended) {
  Rig rig;
  std::string log;
  struct Body {
    static Task<> run(Context& ctx, std::string& log) {
      const int captured = 7;
      auto all = co_await when_all(
          ctx, [&](Context& c) { return number_after(c, seconds(2), captured); },
          [](Context& c) { return text_after(c, seconds(1), "seven"); },
          [](Context& c) { return nothing_after(c, seconds(3)); });
      if (!all) co_return;
      auto& [number, text, unit] = *all;
      static_assert(std::is_same_v<decltype(unit), Unit&> ||
                    std::is_same_v<std::decay_t<decltype(unit)>, Unit>);
      log = std::to_string(number) + text;
    }
  };
  rig.go(Body::run(rig.root, log));
  rig.loop.advance(seconds(2));
  EXPECT_EQ(log, "");
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "7seven");
}

Task<> all_of(Context& ctx, bool throws, std::string& log) {
  auto all = co_await when_all(
      ctx, [](Context& c) { return number_after(c, seconds(5), 1); },
      [throws](Context& c) {
        return throws ? throw_after(c, seconds(1)) : fail_after(c, seconds(1), "no luck");
      });
  log += all ? "all" : all.error().text();
}

TEST(WhenAll, the_first_error_cancels_the_others_and_is_the_result) {
  for (const bool throws : {false, true}) {
    Rig rig;
    std::string log;
    rig.go(all_of(rig.root, throws, log));
    rig.loop.advance(seconds(1));
    EXPECT_EQ(log, throws ? "task 'when_all' threw: broken" : "no luck");
    EXPECT_TRUE(rig.loop.timers().empty());
  }
}

TEST(WhenAll, a_cancel_reaches_all_and_they_are_waited_for) {
  Rig rig;
  std::string log;
  Context ctx(rig.root);
  rig.go(all_of(ctx, false, log));
  rig.idle();
  ctx.cancel(Error::cancelled("enough"));
  EXPECT_EQ(log, "");
  rig.idle();
  EXPECT_EQ(log, "enough");
}

template <class... F>
Task<> race_of(Context& ctx, std::string& log, F... work) {
  auto first = co_await race(ctx, std::move(work)...);
  log += first ? std::to_string(first->index) + ":" + std::to_string(first->value) : first.error().text();
}

TEST(Race, the_first_value_wins_and_the_others_are_cancelled_and_waited_for) {
  Rig rig;
  std::string log;
  rig.go(race_of(
      rig.root, log, [](Context& c) { return fail_after(c, seconds(1), "no luck"); },
      [](Context& c) { return number_after(c, seconds(3), 3); },
      [](Context& c) { return number_after(c, seconds(2), 2); }));
  rig.loop.advance(seconds(2));
  EXPECT_EQ(log, "2:2");
  EXPECT_TRUE(rig.loop.timers().empty()) << "nobody is left";
}

TEST(Race, when_all_fail_every_error_is_named) {
  Rig rig;
  std::string log;
  rig.go(race_of(
      rig.root, log, [](Context& c) { return fail_after(c, seconds(2), "late"); },
      [](Context& c) { return fail_after(c, seconds(1), "early"); },
      [](Context& c) { return throw_after(c, seconds(3)); }));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(log, "all of them failed: early; late; task 'race' threw: broken");
}

TEST(Race, a_cancel_ends_it_with_its_cause) {
  Rig rig;
  std::string log;
  Context soon = within(rig.root, seconds(1));
  rig.go(race_of(soon, log, [](Context& c) { return number_after(c, seconds(2), 2); }));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "deadline exceeded");
}

struct WhenAllScenario {
  WaitGroup tasks;
  std::string log;
  WhenAllScenario(Loop& loop, Context& root) : tasks(loop) { spawn(tasks, "main", run(root, log)); }
  static Task<> run(Context& ctx, std::string& log) {
    co_await all_of(ctx, false, log);
    co_await race_of(
        ctx, log, [](Context& c) { return number_after(c, seconds(3), 3); },
        [](Context& c) { return number_after(c, seconds(2), 2); });
  }
};

TEST(WhenAll, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<WhenAllScenario>(), 8);
}

// --- a thread for work that takes long

Task<> pack(Context& ctx, std::string bytes, std::string& log) {
  Result<std::size_t> packed =
      co_await run_blocking(ctx, [bytes = std::move(bytes)] { return bytes.size() * 2; });
  log += packed ? std::to_string(*packed) : packed.error().text();
}

TEST(RunBlocking, the_answer_comes_back_to_the_loop) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  std::string log;
  spawn(tasks, "packer", pack(root, "four", log));
  EXPECT_EQ(loop.run(), RunEnd::finished) << "a loop that waits for a thread is not asleep";
  EXPECT_EQ(log, "8");
}

Task<> work_until_stopped(Context& ctx, std::string& log) {
  Result<void> worked = co_await run_blocking(ctx, [](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, stop, [] { return false; });
  });
  log += worked ? "worked" : worked.error().text();
}

TEST(RunBlocking, a_cancel_asks_the_work_to_stop_and_waits_for_it) {
  Loop loop;
  Context root(loop);
  Context soon = within(root, milliseconds(5));
  WaitGroup tasks(loop);
  std::string log;
  spawn(tasks, "worker", work_until_stopped(soon, log));
  EXPECT_EQ(loop.run(), RunEnd::finished);
  EXPECT_EQ(log, "deadline exceeded");
}

TEST(RunBlocking, a_loop_that_is_torn_down_asks_and_joins_the_thread) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  std::string log;
  spawn(tasks, "worker", work_until_stopped(root, log));
  (void)loop.run_until_idle();
  loop.abandon();
  EXPECT_EQ(log, "");
}

Task<> throw_in_thread(Context& ctx) {
  Result<void> worked = co_await run_blocking(ctx, [] { throw std::runtime_error("broken"); });
  EXPECT_FALSE(worked) << "it throws";
}
Task<> join_thrower(Context& ctx, Loop& loop, std::string& log) {
  TaskHandle task = spawn(loop, "thrower", throw_in_thread(ctx));
  Result<void> joined = co_await task.join(ctx);
  log = joined ? "" : joined.error().text();
}

TEST(RunBlocking, what_it_throws_is_thrown_to_the_one_who_waits) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  std::string log;
  spawn(tasks, "main", join_thrower(root, loop, log));
  EXPECT_EQ(loop.run(), RunEnd::finished);
  EXPECT_EQ(log, "task 'thrower' threw: broken");
}

// --- error codes

TEST(ErrorCode, system_errors_keep_their_number_both_ways) {
  const error_code refused = asio::error::connection_refused;
  const Error error = error_from(refused, "cannot connect to db");
  EXPECT_EQ(error.kind(), Error::Kind::system);
  EXPECT_EQ(error.errnum(), ECONNREFUSED);
  EXPECT_EQ(error.text(), "cannot connect to db: Connection refused");
  EXPECT_EQ(to_error_code(error), refused);
  EXPECT_EQ(to_error_code(error.wrap("db is not ready")), refused);
}

TEST(ErrorCode, every_kind_has_a_code_and_every_code_a_kind) {
  EXPECT_FALSE(to_error_code(Error()));
  EXPECT_EQ(to_error_code(Error::cancelled()), asio::error::operation_aborted);
  EXPECT_EQ(to_error_code(Error::deadline_exceeded()), asio::error::timed_out);
  EXPECT_EQ(to_error_code(Error::closed()), asio::error::eof);
  EXPECT_EQ(error_from(asio::error::operation_aborted, "cannot read").kind(), Error::Kind::cancelled);
  EXPECT_EQ(error_from(asio::error::eof, "cannot read").kind(), Error::Kind::closed);
  EXPECT_EQ(error_from(asio::error::host_not_found, "cannot look up db").kind(), Error::Kind::failed);
  for (const Error::Kind kind : {Error::Kind::failed, Error::Kind::refused, Error::Kind::invalid}) {
    const error_code code = to_error_code(Error(kind, "text"));
    EXPECT_TRUE(code);
    EXPECT_EQ(code.message(), to_string(kind));
    EXPECT_EQ(error_from(code, "cannot").kind(), kind);
  }
}

// --- on an io_context of somebody else

Task<int> ring_and_count(Context& ctx, Bell<>& bell) {
  bell.ring();
  (void)co_await sleep_for(ctx, milliseconds(1));
  co_return 7;
}

TEST(ForeignContext, a_loop_lives_on_an_io_context_that_somebody_else_runs) {
  asio::io_context io;
  int theirs = 0;
  {
    Loop loop(io);
    Context root(loop);
    Bell<> bell(loop, "bell");
    ValueHandle<int> task = spawn(loop, "ours", ring_and_count(root, bell));
    asio::post(io, [&theirs] { ++theirs; });
    io.run();
    EXPECT_TRUE(task.done());
    EXPECT_TRUE(bell.rung());
  }
  EXPECT_EQ(theirs, 1);
}

Task<> read_and_sleep(Context& ctx,
                      asio::basic_stream_socket<asio::local::stream_protocol, Executor>& socket) {
  std::array<char, 8> bytes{};
  (void)co_await async(ctx, socket.async_read_some(asio::buffer(bytes), deferred));
}
Task<> sleep_long(Context& ctx) { (void)co_await sleep_for(ctx, seconds(60)); }

TEST(ForeignContext, what_a_loop_left_behind_in_it_does_nothing) {
  asio::io_context io;
  asio::basic_stream_socket<asio::local::stream_protocol, Executor> near(io.get_executor());
  asio::basic_stream_socket<asio::local::stream_protocol, Executor> far(io.get_executor());
  asio::local::connect_pair(near, far);
  {
    Loop loop(io);
    Context root(loop);
    WaitGroup tasks(loop);
    spawn(tasks, "reader", read_and_sleep(root, near));
    spawn(tasks, "sleeper", sleep_long(root));
    io.poll();
    loop.post([] { FAIL() << "it was abandoned"; });
    loop.abandon();
  }
  asio::write(far, asio::buffer("x", 1));
  io.restart();
  EXPECT_GE(io.poll(), 1U) << "the reader's handler, at least";
}

asio::awaitable<int> their_function(int n) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(milliseconds(1));
  co_await timer.async_wait(asio::use_awaitable);
  if (n < 0) throw std::runtime_error("negative");
  co_return n + 1;
}

Task<> await_theirs(Context& ctx, std::string& log) {
  for (const int n : {1, -1}) {
    auto started = asio::co_spawn(ctx.loop().executor(), their_function(n), deferred);
    auto [thrown, value] = co_await async(ctx, std::move(started));
    log += thrown ? "threw;" : std::to_string(value) + ";";
  }
}

TEST(Awaitable, theirs_is_awaited_from_ours) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  std::string log;
  spawn(tasks, "ours", await_theirs(root, log));
  loop.run();
  EXPECT_EQ(log, "2;threw;");
}

Task<int> ours(Context& ctx, int n) {
  (void)co_await sleep_for(ctx, milliseconds(1));
  if (ctx.cancelled()) throw std::runtime_error(ctx.cause().text());
  if (n < 0) throw std::runtime_error("negative");
  co_return n * 2;
}
Task<> ours_without_value(Context& ctx) { (void)co_await sleep_for(ctx, milliseconds(1)); }

asio::awaitable<void> await_ours(Context& root, std::string& log) {
  for (const int n : {21, -1}) {
    try {
      const int value =
          co_await start(root, "ours", [n](Context& ctx) { return ours(ctx, n); }, asio::use_awaitable);
      log += std::to_string(value) + ";";
    } catch (const std::exception& thrown) {
      log += std::string(thrown.what()) + ";";
    }
  }
  co_await start(root, "ours", [](Context& ctx) { return ours_without_value(ctx); }, asio::use_awaitable);
  log += "over";
}

TEST(Awaitable, ours_is_awaited_from_theirs) {
  asio::io_context io;
  std::string log;
  {
    Loop loop(io);
    Context root(loop);
    asio::co_spawn(io, await_ours(root, log), asio::detached);
    io.run();
  }
  EXPECT_EQ(log, "42;negative;over");
}

TEST(Awaitable, a_cancel_from_their_side_is_heard_by_ours) {
  asio::io_context io;
  std::string log;
  {
    Loop loop(io);
    Context root(loop);
    asio::cancellation_signal signal;
    auto handler = [&log](std::exception_ptr thrown, int) {
      try {
        if (thrown) std::rethrow_exception(thrown);
      } catch (const std::exception& error) {
        log = error.what();
      }
    };
    start(
        root, "ours", [](Context& ctx) { return ours(ctx, 1); },
        asio::bind_cancellation_slot(signal.slot(), handler));
    signal.emit(asio::cancellation_type::terminal);
    io.run();
  }
  EXPECT_EQ(log, "cancelled by its caller");
}

TEST(Awaitable, a_loop_that_is_torn_down_drops_the_handler_without_calling_it) {
  asio::io_context io;
  auto token = std::make_shared<int>(1);
  {
    Loop loop(io);
    Context root(loop);
    start(
        root, "ours", [](Context& ctx) { return ours(ctx, 1); },
        [token](std::exception_ptr, int) { FAIL() << "it was abandoned"; });
    io.poll();
    loop.abandon();
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace belfry
