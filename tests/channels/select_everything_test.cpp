// Everything that can be waited for can be a case: won, lost, cancelled, granted in the turn of a cancel,
// and abandoned at each step.
#include <array>
#include <span>
#include <stdexcept>

#include "channels/asio_case.hpp"
#include "channels/mutex.hpp"
#include "channels/place_case.hpp"
#include "channels/semaphore_case.hpp"
#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

using Socket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

struct Pair {
  explicit Pair(Loop& loop) : near(loop.executor()), far(loop.executor()) {
    asio::local::connect_pair(near, far);
  }
  Socket near;
  Socket far;
};

// --- Reply

Task<> ask_or_give_up(Context& ctx, Reply<int>& reply, Bell<>& gone, std::string& log) {
  auto answered = on(reply);
  auto left = on(gone);
  const std::size_t which = co_await select(ctx, answered, left);
  if (which == 0) {
    Result<int> answer = answered.take();
    log += answer ? std::to_string(*answer) : answer.error().text();
  } else {
    log += which == 1 ? "gone" : "cancelled";
  }
}

TEST(SelectReply, the_answer_wins_and_a_dropped_question_is_an_answer) {
  Rig rig;
  Bell<> gone(rig.loop, "gone");
  std::string log;
  for (int way = 0; way < 2; ++way) {
    Reply<int> reply(rig.loop);
    Replier<int> half = reply.replier();
    rig.go(ask_or_give_up(rig.root, reply, gone, log));
    rig.idle();
    if (way == 0) {
      EXPECT_TRUE(half.answer(42));
    } else {
      half = Replier<int>();
    }
    rig.idle();
    log += ";";
  }
  EXPECT_EQ(log, "42;the question was dropped unanswered;");
}

TEST(SelectReply, an_asker_that_goes_with_the_worker_leaves_nothing_behind) {
  Rig rig;
  Bell<> stopped(rig.loop, "stopped");
  std::string log;
  Reply<int> reply(rig.loop);
  Replier<int> half = reply.replier();
  rig.go(ask_or_give_up(rig.root, reply, stopped, log));
  rig.idle();
  stopped.ring();
  rig.idle();
  EXPECT_EQ(log, "gone");
  EXPECT_TRUE(half.answer(1)) << "the reply is still open: the loser is untouched";
}

// --- Semaphore, Mutex

Task<> take_turn(Context& ctx, Semaphore& limit, std::size_t weight, Bell<>& other, Bell<>& until,
                 std::string name, std::string& log) {
  auto turn = acquire(limit, weight);
  auto rung = on(other);
  const std::size_t which = co_await select(ctx, turn, rung);
  if (which != 0) {
    log += name + (which == 1 ? ":other;" : ":cancelled;");
    co_return;
  }
  Result<Permit> permit = turn.take();
  log += name + (permit ? "+;" : ":" + permit.error().text() + ";");
  (void)co_await until.wait(ctx);
}

struct SemaphoreRig : Rig {
  Bell<> other{loop, "other"};
  Bell<> until{loop, "until"};
  Semaphore limit{loop, 2, "limit"};
  std::string log;
};

TEST(SelectSemaphore, it_stands_in_the_queue_and_is_handed_its_units) {
  SemaphoreRig rig;
  std::optional<Permit> both = rig.limit.try_acquire(2);
  rig.go(take_turn(rig.root, rig.limit, 2, rig.other, rig.until, "a", rig.log));
  rig.go(take_turn(rig.root, rig.limit, 1, rig.other, rig.until, "b", rig.log));
  rig.idle();
  EXPECT_EQ(rig.log, "");
  both.reset();
  EXPECT_EQ(rig.limit.available(), 0U) << "taken for the waiter before it is woken";
  EXPECT_FALSE(rig.limit.try_acquire());
  rig.idle();
  EXPECT_EQ(rig.log, "a+;");
  rig.until.ring();
  rig.idle();
  EXPECT_EQ(rig.log, "a+;b+;");
  EXPECT_EQ(rig.limit.available(), 2U);
}

TEST(SelectSemaphore, a_loser_makes_room_for_those_behind_it) {
  SemaphoreRig rig;
  Bell<> nothing(rig.loop, "nothing");
  std::optional<Permit> one = rig.limit.try_acquire(1);
  rig.go(take_turn(rig.root, rig.limit, 2, rig.other, rig.until, "large", rig.log));
  rig.go(take_turn(rig.root, rig.limit, 1, nothing, rig.until, "small", rig.log));
  rig.idle();
  rig.other.ring();
  rig.idle();
  EXPECT_EQ(rig.log, "large:other;small+;");
  rig.until.ring();
  rig.idle();
  one.reset();
  EXPECT_EQ(rig.limit.available(), 2U);
}

TEST(SelectSemaphore, what_was_handed_over_is_not_lost_to_a_cancel_or_another_case_of_the_same_turn) {
  for (int way = 0; way < 4; ++way) {
    SemaphoreRig rig;
    Context ctx(rig.root);
    std::optional<Permit> both = rig.limit.try_acquire(2);
    rig.go(take_turn(ctx, rig.limit, 2, rig.other, rig.until, "a", rig.log));
    rig.idle();
    if (way == 1) ctx.cancel();
    if (way == 3) rig.other.ring();
    both.reset();
    if (way == 0) ctx.cancel();
    if (way == 2) rig.other.ring();
    rig.until.ring();
    rig.idle();
    EXPECT_EQ(rig.log, "a+;") << way;
    EXPECT_EQ(rig.limit.available(), 2U) << way;
  }
}

TEST(SelectSemaphore, more_units_than_it_has_is_an_error_at_once) {
  SemaphoreRig rig;
  rig.go(take_turn(rig.root, rig.limit, 3, rig.other, rig.until, "a", rig.log));
  rig.until.ring();
  rig.idle();
  EXPECT_EQ(rig.log, "a:cannot acquire from semaphore 'limit': more units than it has;");
}

TEST(SelectSemaphore, units_that_nobody_takes_out_of_the_case_go_back) {
  SemaphoreRig rig;
  struct Body {
    static Task<> run(Context& ctx, Semaphore& limit) {
      auto turn = acquire(limit, 2);
      const std::size_t which = co_await select(ctx, turn);
      EXPECT_EQ(which, 0U);
      EXPECT_EQ(limit.available(), 0U);
    }
  };
  rig.go(Body::run(rig.root, rig.limit));
  rig.idle();
  EXPECT_EQ(rig.limit.available(), 2U);
}

Task<> lock_or_leave(Context& ctx, Mutex& mutex, std::string& log) {
  auto mine = lock(mutex);
  auto late = after(ctx.loop(), seconds(1));
  const std::size_t which = co_await select(ctx, mine, late);
  log += which == 0 ? "locked;" : "late;";
}

TEST(SelectMutex, a_lock_can_be_waited_for_beside_a_moment) {
  Rig rig;
  Mutex mutex(rig.loop, "journal");
  std::string log;
  std::optional<Permit> held = mutex.try_lock();
  rig.go(lock_or_leave(rig.root, mutex, log));
  rig.loop.advance(seconds(1));
  rig.go(lock_or_leave(rig.root, mutex, log));
  rig.idle();
  held.reset();
  rig.idle();
  EXPECT_EQ(log, "late;locked;");
  EXPECT_FALSE(mutex.locked());
}

// --- Subscription

Task<> read_all(Context& ctx, Subscription<int>& news, Bell<>& hurry, std::string& log) {
  auto next = on(news);
  auto hurried = on(hurry);
  for (;;) {
    const std::size_t which = co_await select(ctx, next, hurried);
    if (which == select_cancelled) co_return;
    if (which == 1) {
      log += "hurry;";
      hurried.reset();
      continue;
    }
    Result<Received<int>> got = next.take();
    if (!got) {
      log += got.error().text();
      co_return;
    }
    log += std::to_string(got->value) + (got->missed ? "!" : "") + ";";
  }
}

TEST(SelectSubscription, values_and_the_end_are_heard_beside_other_things) {
  Rig rig;
  Broadcast<int> radio(rig.loop, "radio");
  Subscription<int> news(radio, 2);
  Bell<> hurry(rig.loop, "hurry");
  std::string log;
  rig.go(read_all(rig.root, news, hurry, log));
  rig.idle();
  radio.publish(1);
  rig.idle();
  hurry.ring();
  rig.idle();
  for (int i = 2; i < 5; ++i) radio.publish(i);
  radio.close();
  rig.idle();
  EXPECT_EQ(log, "1;hurry;3!;4;broadcast 'radio' is closed");
}

// --- WaitGroup, TaskHandle

Task<> wait_until(Context& ctx, Bell<>& bell) { (void)co_await bell.wait(ctx); }
Task<> wait_and_throw(Context& ctx, Bell<>& bell) {
  (void)co_await bell.wait(ctx);
  throw std::runtime_error("broken");
}

Task<> group_or_late(Context& ctx, WaitGroup& group, std::string& log) {
  auto all = on(group);
  auto late = after(ctx.loop(), seconds(1));
  const std::size_t which = co_await select(ctx, all, late);
  if (which == 0) {
    Result<void> ended = all.result();
    log += ended ? "all;" : ended.error().text() + ";";
  } else {
    log += "late;";
  }
}

TEST(SelectWaitGroup, the_end_of_all_is_heard_with_its_error_also_when_the_group_is_used_again_at_once) {
  Rig rig;
  Bell<> bell(rig.loop, "bell");
  Bell<> later(rig.loop, "later");
  std::string log;
  WaitGroup group(rig.loop, "group");
  spawn(group, "member", wait_until(rig.root, bell));
  rig.go(group_or_late(rig.root, group, log));
  rig.loop.advance(seconds(1));
  rig.go(group_or_late(rig.root, group, log));
  rig.idle();
  bell.ring();
  while (group.count() > 0) ASSERT_TRUE(rig.loop.step());
  spawn(group, "next member", wait_until(rig.root, later));  // before the waiter has resumed
  rig.idle();
  EXPECT_EQ(log, "late;all;");
  later.ring();
  rig.idle();
}

Task<> task_or_late(Context& ctx, TaskHandle& handle, std::string& log) {
  auto ended = on(handle);
  auto late = after(ctx.loop(), seconds(1));
  const std::size_t which = co_await select(ctx, ended, late);
  if (which == 0) {
    Result<void> joined = ended.result();
    log += joined ? "ended;" : joined.error().text() + ";";
  } else {
    log += "late;";
  }
}

TEST(SelectTask, a_task_is_joined_beside_other_things) {
  Rig rig;
  Bell<> bell(rig.loop, "bell");
  std::string log;
  {
    TaskHandle task = spawn(rig.loop, "worker", wait_and_throw(rig.root, bell));
    rig.go(task_or_late(rig.root, task, log));
    rig.loop.advance(seconds(1));
    rig.go(task_or_late(rig.root, task, log));
    rig.idle();
    bell.ring();
    rig.idle();
  }
  EXPECT_EQ(log, "late;task 'worker' threw: broken;");
}

// --- Asio

Task<> read_or_late(Context& ctx, Socket& socket, int times, std::string& log) {
  std::array<char, 16> bytes{};
  auto got = operation(ctx.loop(), socket.async_read_some(asio::buffer(bytes), deferred));
  auto late = after(ctx.loop(), seconds(1));
  for (int i = 0; i < times; ++i) {
    const std::size_t which = co_await select(ctx, got, late);
    if (which == select_cancelled) {
      log += "cancelled;";
      co_return;
    }
    if (which == 1) {
      log += "late;";
      late.target(ctx.loop().now() + seconds(1));
      continue;
    }
    auto [error, count] = got.take();
    log += error ? error.message() + ";" : std::string(bytes.data(), count) + ";";
    got.begin(socket.async_read_some(asio::buffer(bytes), deferred));
  }
}

TEST(SelectAsio, an_operation_that_lost_goes_on_and_can_be_selected_again) {
  Rig rig;
  Pair pair(rig.loop);
  std::string log;
  rig.go(read_or_late(rig.root, pair.near, 3, log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "late;");
  asio::write(pair.far, asio::buffer("hello", 5));
  rig.idle();
  EXPECT_EQ(log, "late;hello;");
  asio::write(pair.far, asio::buffer("again", 5));
  rig.idle();
  EXPECT_EQ(log, "late;hello;again;");
}

TEST(SelectAsio, a_case_that_goes_takes_its_operation_back) {
  Rig rig;
  Pair pair(rig.loop);
  std::string log;
  rig.go(read_or_late(rig.root, pair.near, 1, log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "late;") << "the task is over, and its buffer with it";
  asio::write(pair.far, asio::buffer("later", 5));
  rig.idle();
  std::array<char, 16> bytes{};
  EXPECT_EQ(pair.near.read_some(asio::buffer(bytes)), 5U) << "nobody else has read it";
}

TEST(SelectAsio, a_cancel_ends_the_select_and_the_operation_goes_with_its_case) {
  Rig rig;
  Pair pair(rig.loop);
  Context ctx(rig.root);
  std::string log;
  rig.go(read_or_late(ctx, pair.near, 1, log));
  rig.idle();
  ctx.cancel();
  rig.idle();
  EXPECT_EQ(log, "cancelled;");
  asio::write(pair.far, asio::buffer("later", 5));
  rig.idle();
  EXPECT_EQ(pair.near.available(), 5U);
}

Task<> cancel_by_hand(Context& ctx, Socket& socket, std::string& log) {
  std::array<char, 16> bytes{};
  auto got = operation(ctx.loop(), socket.async_read_some(asio::buffer(bytes), deferred));
  auto none = otherwise();
  (void)co_await select(ctx, got, none);
  EXPECT_TRUE(got.under_way());
  got.cancel();
  (void)co_await select(ctx, got);
  auto [error, count] = got.take();
  log = error == asio::error::operation_aborted ? "aborted" : "read";
}

TEST(SelectAsio, cancelled_by_hand_it_completes_with_its_own_error) {
  Rig rig;
  Pair pair(rig.loop);
  std::string log;
  rig.go(cancel_by_hand(rig.root, pair.near, log));
  rig.idle();
  EXPECT_EQ(log, "aborted");
}

TEST(SelectAsio, nothing_is_started_on_a_cancelled_context) {
  Rig rig;
  Pair pair(rig.loop);
  Context ctx(rig.root);
  ctx.cancel();
  std::string log;
  asio::write(pair.far, asio::buffer("still there", 11));
  rig.go(read_or_late(ctx, pair.near, 1, log));
  rig.idle();
  EXPECT_EQ(log, "cancelled;");
  EXPECT_EQ(pair.near.available(), 11U);
}

// --- at each step

struct EverythingScenario {
  Loop& loop;
  Context ctx;
  Pair pair{loop};
  Bell<> bell{loop, "bell"};
  Semaphore limit{loop, 1, "limit"};
  Mutex mutex{loop, "mutex"};
  Broadcast<int> radio{loop, "radio"};
  Subscription<int> news{radio, 4};
  WaitGroup members{loop, "members"};
  WaitGroup tasks{loop, "tasks"};
  int won = 0;

  EverythingScenario(Loop& l, Context& root) : loop(l), ctx(root) {
    spawn(tasks, "selector", run(*this));
    spawn(tasks, "driver", drive(root, *this));
  }
  static Task<> run(EverythingScenario& self) {
    Reply<int> reply(self.loop);
    Replier<int> half = reply.replier();
    spawn(self.members, "member", wait_until(self.ctx, self.bell));
    std::array<char, 8> bytes{};
    auto units = acquire(self.limit);
    auto mine = lock(self.mutex);
    auto next = on(self.news);
    auto all = on(self.members);
    auto got = operation(self.loop, self.pair.near.async_read_some(asio::buffer(bytes), deferred));
    for (;;) {
      const std::size_t which = co_await select(self.ctx, units, mine, next, all, got);
      if (which == select_cancelled) co_return;
      ++self.won;
      if (which == 0) Result<Permit> permit = units.take();
      if (which == 1) Result<Permit> permit = mine.take();
      if (which == 2) (void)next.take();
      if (which == 4) got.begin((got.take(), self.pair.near.async_read_some(asio::buffer(bytes), deferred)));
      if (self.won == 3) (void)half.answer(1);
      if (self.won == 20) co_return;
      auto answered = on(reply);
      auto soon = after(self.loop, seconds(1));
      SelectCase* set[] = {&soon, &answered};
      (void)co_await select(self.ctx, std::span<SelectCase* const>(set, self.won < 4 ? 2 : 1));
    }
  }
  static Task<> drive(Context& root, EverythingScenario& self) {
    for (int i = 0; i < 3; ++i) {
      self.radio.publish(i);
      asio::write(self.pair.far, asio::buffer("x", 1));
      (void)co_await sleep_for(root, seconds(4));
    }
    self.bell.ring();
    (void)co_await sleep_for(root, seconds(4));
    self.ctx.cancel();
  }
};

TEST(SelectEverything, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<EverythingScenario>(), 20);
}

}  // namespace
}  // namespace belfry
