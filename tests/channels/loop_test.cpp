#include "channels/loop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>

#include "channels/asio.hpp"
#include "channels/asio_bridge.hpp"
#include "channels/bell.hpp"
#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::milliseconds;
using test::Rig;
using test::seconds;

Task<> wait_for(Context& ctx, Listener<> bell) { (void)co_await bell.wait(ctx); }
Task<> nap(Context& ctx, Duration d) { (void)co_await sleep_for(ctx, d); }
Task<> stop_loop(Loop& loop) {
  loop.stop();
  co_return;
}

TEST(Loop, run_returns_when_no_task_is_left) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  spawn(tasks, "napper", nap(root, milliseconds(1)));
  EXPECT_EQ(loop.run(), RunEnd::finished);
  EXPECT_EQ(loop.tasks(), 0U);
  EXPECT_EQ(loop.run(), RunEnd::finished) << "without tasks it does not wait";
}

TEST(Loop, run_returns_when_it_is_stopped_and_can_go_on_later) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  spawn(tasks, "napper", nap(root, milliseconds(1)));
  spawn(tasks, "stopper", stop_loop(loop));
  EXPECT_EQ(loop.run(), RunEnd::stopped);
  EXPECT_EQ(loop.tasks(), 1U);
  EXPECT_EQ(loop.run(), RunEnd::finished);
}

TEST(Loop, run_says_when_all_are_asleep_and_the_census_says_who) {
  Loop loop;
  Context root(loop);
  Bell<> bell(loop, "nobody rings this");
  WaitGroup tasks(loop);
  spawn(tasks, "sleeping beauty", wait_for(root, bell.listener()));
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  std::vector<std::string> names;
  loop.each_task([&names](std::string_view name) { names.emplace_back(name); });
  EXPECT_EQ(names, (std::vector<std::string>{"sleeping beauty"}));
  bell.ring();
  EXPECT_EQ(loop.run(), RunEnd::finished);
}

// A pipe that is readable, and whoever reads it.
struct Letter {
  explicit Letter(Loop& loop) : reading(loop.executor()) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
    reading.assign(ends[0]);
    writing = ends[1];
  }
  ~Letter() { ::close(writing); }
  asio::posix::basic_stream_descriptor<Executor> reading;
  int writing;
};
Task<> read_letter(Context& ctx, Letter& letter, std::string& log) {
  auto readable = letter.reading.async_wait(asio::posix::descriptor_base::wait_read, asio::deferred);
  const auto [error] = co_await async(ctx, std::move(readable));
  if (!error) log += "news ";
}
Task<> judge(Context& ctx, TimePoint deadline, std::string& log) {
  auto due = by(ctx.loop(), deadline);
  const std::size_t which = co_await select(ctx, due);
  if (which == 0) log += "deadline";
}

TEST(Loop, news_that_came_before_a_deadline_are_read_before_it_is_judged) {
  Loop loop;
  Context root(loop);
  std::string log;
  std::deque<Letter> letters;
  WaitGroup tasks(loop);
  const TimePoint deadline = loop.now() + milliseconds(1);
  spawn(tasks, "judge", judge(root, deadline, log));
  for (int i = 0; i < 300; ++i)  // more than the kernel hands out at once
    spawn(tasks, "reader", read_letter(root, letters.emplace_back(loop), log));
  // The process stands still while the timer comes due; only then are the letters written.
  asio::post(loop.io(), [&] {
    while (loop.now() <= deadline) continue;
    for (const Letter& letter : letters) EXPECT_EQ(::write(letter.writing, "x", 1), 1);
  });
  EXPECT_EQ(loop.run(), RunEnd::finished);
  EXPECT_EQ(log.find("deadline"), log.size() - 8) << log;
}

TEST(Loop, the_horizon_never_lies_in_the_future_and_reaches_every_deadline) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  std::string log;
  spawn(tasks, "judge", judge(root, loop.now(), log));  // due by the clock, not yet by the horizon
  EXPECT_LE(loop.horizon(), loop.now());
  EXPECT_EQ(loop.run(), RunEnd::finished);
  EXPECT_EQ(log, "deadline");
}

TEST(Loop, counts_how_long_it_stood_still_beyond_its_timers) {
  Rig rig;
  rig.go(nap(rig.root, milliseconds(200)));
  rig.idle();
  rig.clock.advance(seconds(2));
  rig.idle();
  EXPECT_EQ(rig.loop.paused(), seconds(2));
  rig.go(nap(rig.root, milliseconds(200)));
  rig.idle();
  rig.loop.advance(seconds(1));
  EXPECT_EQ(rig.loop.paused(), seconds(2)) << "a loop that comes in time was not paused";
}

TEST(Loop, a_pause_counts_once_whatever_is_looked_at_first_after_it) {
  Rig rig;
  rig.go(nap(rig.root, milliseconds(200)));
  rig.idle();
  rig.clock.advance(seconds(2));
  rig.loop.post([] {});  // news that is there before the timer is looked at
  rig.idle();
  rig.idle();
  EXPECT_EQ(rig.loop.paused(), seconds(2));
}

TEST(Loop, long_idleness_before_a_late_timer_is_not_taken_for_a_pause) {
  Rig rig;
  rig.go(nap(rig.root, seconds(60)));
  rig.idle();
  rig.clock.advance(seconds(61));
  rig.idle();
  EXPECT_EQ(rig.loop.paused(), seconds(3)) << "the second that is certain, and two that may be";
}

TEST(Loop, posted_callbacks_run_in_the_next_turn_in_order) {
  Rig rig;
  std::string log;
  rig.loop.post([&log] { log += "a"; });
  rig.loop.post([&log] { log += "b"; });
  EXPECT_EQ(log, "");
  rig.idle();
  EXPECT_EQ(log, "ab");
}

TEST(Loop, advance_fires_what_is_due_on_the_way_in_order_and_drains_in_between) {
  Rig rig;
  std::vector<int> log;
  struct Body {
    static Task<> run(Context& ctx, int at, std::vector<int>& log) {
      (void)co_await sleep_for(ctx, seconds(at));
      log.push_back(at);
      (void)co_await sleep_for(ctx, seconds(1));
      log.push_back(at + 1);
    }
  };
  rig.go(Body::run(rig.root, 4, log));
  rig.go(Body::run(rig.root, 1, log));
  const TimePoint start = rig.clock.now();
  rig.loop.advance(seconds(10));
  EXPECT_EQ(log, (std::vector<int>{1, 2, 4, 5}));
  EXPECT_EQ(rig.clock.now() - start, seconds(10));
  EXPECT_FALSE(rig.loop.advance_to_next_timer());
}

TEST(Loop, tasks_that_keep_each_other_awake_do_not_shut_out_others) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  struct Body {
    static Task<> spin(Loop& loop, const bool& over) {
      while (!over) co_await yield(loop);
    }
    static Task<> end(Context& ctx, bool& over) {
      (void)co_await sleep_for(ctx, milliseconds(5));
      over = true;
    }
  };
  bool over = false;
  spawn(tasks, "spinner", Body::spin(loop, over));
  spawn(tasks, "timer", Body::end(root, over));
  EXPECT_EQ(loop.run(), RunEnd::finished);
}

TEST(Loop, who_yields_to_all_is_not_shut_out_by_tasks_that_keep_each_other_awake) {
  Loop loop;
  WaitGroup tasks(loop);
  struct Body {
    static Task<> spin(Loop& loop, const bool& over) {
      while (!over) co_await yield(loop);
    }
    static Task<> end(Loop& loop, bool& over) {
      co_await yield_to_all(loop);
      over = true;
    }
  };
  bool over = false;
  spawn(tasks, "polite", Body::end(loop, over));
  spawn(tasks, "spinner", Body::spin(loop, over));
  EXPECT_EQ(loop.run(), RunEnd::finished);
}

TEST(Loop, who_yields_to_all_comes_after_what_became_ready_by_others) {
  Rig rig;
  std::string log;
  struct Body {
    static Task<> polite(Loop& loop, std::string& log) {
      co_await yield_to_all(loop);
      log += "z";
    }
    static Task<> chain(Loop& loop, std::string& log) {
      for (const char step : {'a', 'b', 'c'}) {
        co_await yield(loop);
        log += step;
      }
    }
  };
  rig.go(Body::polite(rig.loop, log));
  rig.go(Body::chain(rig.loop, log));
  rig.loop.run_until_idle();
  EXPECT_EQ(log, "abcz");
}

TEST(Loop, the_same_program_takes_the_same_steps_every_time) {
  auto history = [] {
    Rig rig;
    std::string log;
    struct Body {
      static Task<> run(Context& ctx, char name, int step, std::string& log) {
        for (int i = 0; i < 5; ++i) {
          (void)co_await sleep_for(ctx, milliseconds(step));
          log += name;
        }
      }
    };
    rig.go(Body::run(rig.root, 'a', 2, log));
    rig.go(Body::run(rig.root, 'b', 3, log));
    rig.go(Body::run(rig.root, 'c', 2, log));
    while (rig.loop.advance_to_next_timer()) {
    }
    return log;
  };
  const std::string first = history();
  EXPECT_EQ(first.size(), 15U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(history(), first);
}

TEST(Loop, what_comes_afterwards_comes_after_everything_that_was_ready_or_became_so) {
  Rig rig;
  std::string log;
  rig.loop.afterwards([&log] { log += "z"; });
  rig.loop.post([&] {
    log += "a";
    rig.loop.post([&log] { log += "b"; });
  });
  rig.idle();
  EXPECT_EQ(log, "abz");
}

TEST(Loop, afterwards_lets_io_in_between_two_pieces_of_work) {
  Rig rig;
  std::string log;
  const auto first = [&] {
    log += "1";
    rig.loop.afterwards([&log] { log += "2"; });
    asio::post(rig.loop.io(), [&log] { log += "i"; });
  };
  asio::post(rig.loop.io(), [&] { rig.loop.afterwards(first); });
  rig.idle();
  EXPECT_EQ(log, "1i2");
}

TEST(Loop, abandon_drops_what_was_to_come_afterwards) {
  Rig rig;
  const auto held = std::make_shared<int>(1);
  rig.loop.afterwards([held] {});
  rig.loop.abandon();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Loop, abandon_drops_what_was_posted_and_nothing_runs_afterwards) {
  Rig rig;
  auto held = std::make_shared<int>(1);
  bool ran = false;
  rig.loop.post([held, &ran] { ran = true; });
  rig.loop.abandon();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(rig.idle(), 0U);
  EXPECT_EQ(rig.loop.run(), RunEnd::finished);
  EXPECT_FALSE(ran);
}

TEST(Loop, frames_are_destroyed_newest_first) {
  Rig rig;
  std::string log;
  struct Noisy {
    std::string& log;
    char name;
    ~Noisy() { log += name; }
  };
  struct Body {
    static Task<> run(Context& ctx, std::string& log, char name) {
      Noisy noisy{log, name};
      (void)co_await sleep_for(ctx, seconds(1));
    }
  };
  for (char name : {'a', 'b', 'c'}) rig.go(Body::run(rig.root, log, name));
  rig.idle();
  rig.loop.abandon();
  EXPECT_EQ(log, "cba");
}

TEST(LoopDeathTest, running_a_loop_from_inside_is_a_bug_that_is_seen) {
  EXPECT_DEATH(
      {
        Rig rig;
        rig.loop.post([&rig] { rig.loop.run_until_idle(); });
        rig.idle();
      },
      "cannot run a loop 'loop': it is running already");
}

}  // namespace
}  // namespace belfry
