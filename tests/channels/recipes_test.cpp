// The primitives that are made of others, and the recipes of channels/README.md.
#include <deque>
#include <memory>
#include <vector>

#include "channels/bell.hpp"
#include "channels/error_group.hpp"
#include "channels/handshake.hpp"
#include "channels/hold_buffer.hpp"
#include "channels/mutex.hpp"
#include "channels/pipeline.hpp"
#include "channels/pool.hpp"
#include "channels/sleep.hpp"
#include "channels/ticker.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::milliseconds;
using test::Rig;
using test::seconds;

// --- 35: the bell carries the address

Task<> learn_address(Context& ctx, Listener<std::string> ready, std::string& log) {
  Result<std::string> address = co_await ready.get(ctx);
  log += (address ? *address : address.error().text()) + ";";
}

TEST(BellPayload, reaches_every_waiter_late_ones_too) {
  Rig rig;
  Bell<std::string> ready(rig.loop, "ready");
  std::string log;
  rig.go(learn_address(rig.root, ready.listener(), log));
  rig.go(learn_address(rig.root, ready.listener(), log));
  rig.idle();
  ready.ring("127.0.0.1:4711");
  ready.ring("127.0.0.1:1");
  rig.idle();
  rig.go(learn_address(rig.root, ready.listener(), log));
  rig.idle();
  EXPECT_EQ(log, "127.0.0.1:4711;127.0.0.1:4711;127.0.0.1:4711;");
}

TEST(BellPayload, who_asks_hears_why_there_will_be_none_or_why_it_waits_no_more) {
  Rig rig;
  Bell<std::string> ready(rig.loop, "ready");
  std::string log;
  Context ctx(rig.root);
  rig.go(learn_address(ctx, ready.listener(), log));
  rig.idle();
  ctx.cancel();
  rig.idle();
  ready.never(Error::failed("cannot bind"));
  rig.go(learn_address(ctx, ready.listener(), log));
  rig.idle();
  EXPECT_EQ(log, "cancelled;cannot bind;") << "a bell that ended is heard on a cancelled context";
}

// --- 36: exclusion across a wait

struct Journal {
  Mutex lock;
  std::string text;
  explicit Journal(Loop& loop) : lock(loop, "journal") {}
};

Task<> write_entry(Context& ctx, Journal& journal, char name) {
  Result<Permit> held = co_await journal.lock.lock(ctx);
  if (!held) co_return;
  journal.text += name;
  (void)co_await sleep_for(ctx, seconds(1));  // half of an entry is written
  journal.text += name;
}

TEST(Mutex, is_held_across_waits_first_come_first_served) {
  Rig rig;
  Journal journal(rig.loop);
  for (const char name : {'a', 'b', 'c'}) rig.go(write_entry(rig.root, journal, name));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(journal.text, "aabbcc");
  EXPECT_FALSE(journal.lock.locked());
}

TEST(Mutex, what_was_handed_over_in_the_turn_of_a_cancel_is_not_lost) {
  Rig rig;
  Mutex mutex(rig.loop, "mutex");
  Context ctx(rig.root);
  bool got = false;
  struct Body {
    static Task<> run(Context& ctx, Mutex& mutex, bool& got) {
      Result<Permit> held = co_await mutex.lock(ctx);
      got = held.has_value();
    }
  };
  std::optional<Permit> first = mutex.try_lock();
  rig.go(Body::run(ctx, mutex, got));
  rig.idle();
  first.reset();
  ctx.cancel();
  rig.idle();
  EXPECT_TRUE(got);
  EXPECT_TRUE(mutex.try_lock()) << "it went back with the permit";
}

TEST(MutexDeathTest, destroying_it_while_it_is_held_names_it) {
  EXPECT_DEATH(
      {
        Loop loop;
        std::optional<Permit> held;
        Mutex mutex(loop, "journal");
        held = mutex.try_lock();
        mutex.~Mutex();
      },
      "cannot destroy mutex 'journal': a permit has not been given back");
}

Task<> use_shared(Context& ctx, SharedMutex& mutex, bool writes, char name, std::string& log) {
  Result<Permit> held;
  if (writes)
    held = co_await mutex.lock(ctx);
  else
    held = co_await mutex.lock_shared(ctx);
  if (!held) co_return;
  log += name;
  (void)co_await sleep_for(ctx, seconds(1));
  log += static_cast<char>(name - 'a' + 'A');
}

TEST(SharedMutex, readers_share_it_and_no_writer_starves) {
  Rig rig;
  SharedMutex mutex(rig.loop, "history");
  std::string log;
  rig.go(use_shared(rig.root, mutex, false, 'a', log));
  rig.go(use_shared(rig.root, mutex, false, 'b', log));
  rig.go(use_shared(rig.root, mutex, true, 'w', log));
  rig.go(use_shared(rig.root, mutex, false, 'c', log));  // after the writer, though readers hold it now
  rig.idle();
  EXPECT_EQ(mutex.readers(), 2U);
  EXPECT_FALSE(mutex.try_lock_shared()) << "nobody overtakes the writer that waits";
  rig.loop.advance(seconds(1));
  EXPECT_TRUE(mutex.written());
  EXPECT_EQ(mutex.readers(), 0U);
  rig.loop.advance(seconds(2));
  EXPECT_EQ(log, "abABwWcC");
  EXPECT_TRUE(mutex.try_lock());
}

// --- 37: a pipeline of stages

Task<Result<void>> count_to(Context& ctx, int last, Channel<int>& out) {
  const ClosesAtEnd<int> closes(out);
  for (int i = 1; i <= last; ++i) {
    Result<void> sent = co_await out.send(ctx, i);
    if (!sent) co_return sent;
  }
  co_return Result<void>();
}
Result<int> square(int value) { return value * value; }
Task<Result<std::string>> spell(Context& ctx, int value) {
  Result<void> slept = co_await sleep_for(ctx, milliseconds(1));
  if (!slept) co_return std::unexpected(slept.error());
  if (value == 49) co_return std::unexpected(Error::failed("49 cannot be spelled"));
  co_return std::to_string(value);
}
Task<Result<void>> collect(Context& ctx, Receiver<std::string> in, std::size_t most, std::string& log) {
  while (Result<std::string> text = co_await in.receive(ctx)) {
    log += *text + ",";
    if (--most == 0) co_return std::unexpected(Error::cancelled("enough"));
  }
  co_return Result<void>();
}

struct Line {
  ErrorGroup stages;
  Channel<int> numbers;
  Channel<int> squares;
  Channel<std::string> texts;
  std::string log;

  Line(Context& parent, int last, std::size_t most)
      : stages(parent, ErrorGroup::Policy::first_error_cancels, "line"),
        numbers(parent.loop(), 0, "numbers"),
        squares(parent.loop(), 1, "squares"),
        texts(parent.loop(), 0, "texts") {
    Context& ctx = stages.context();
    spawn(stages, "count", count_to(ctx, last, numbers));
    spawn(stages, "square", stage(ctx, numbers.receiver(), squares, &square));
    spawn(stages, "spell", stage(ctx, squares.receiver(), texts, &spell));
    spawn(stages, "collect", collect(ctx, texts.receiver(), most, log));
  }
  static Task<> wait(Context& ctx, Line& line, std::string& end) {
    Result<void> ended = co_await line.stages.wait(ctx);
    end = ended ? "ok" : ended.error().text();
  }
};

TEST(Pipeline, each_stage_closes_its_output_and_the_end_goes_down_the_line) {
  Rig rig;
  Line line(rig.root, 4, 100);
  std::string end;
  rig.go(Line::wait(rig.root, line, end));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(line.log, "1,4,9,16,");
  EXPECT_EQ(end, "ok");
  EXPECT_TRUE(line.texts.closed());
}

TEST(Pipeline, an_error_or_an_early_leaver_ends_all_stages) {
  for (const bool leaves : {false, true}) {
    Rig rig;
    Line line(rig.root, 1000, leaves ? 2 : 100);
    std::string end;
    rig.go(Line::wait(rig.root, line, end));
    rig.loop.advance(seconds(1));
    EXPECT_EQ(end, leaves ? "enough" : "49 cannot be spelled");
    EXPECT_EQ(line.stages.running(), 0U) << "nobody waits for one who has gone";
  }
}

struct LineScenario {
  Line line;
  WaitGroup tasks;
  std::string end;
  LineScenario(Loop& loop, Context& root) : line(root, 3, 100), tasks(loop) {
    spawn(tasks, "wait", Line::wait(root, line, end));
  }
};

TEST(Pipeline, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<LineScenario>(), 15); }

// --- 38: held during an outage

struct Dropped {
  std::string log;
  HoldBuffer<int>::Dropped tell() {
    return [this](int value, const Error& why) { log += std::to_string(value) + ": " + why.text() + ";"; };
  }
};

Task<> deliver(Context& ctx, HoldBuffer<int>& held, Bell<>& back, int fails, std::string& log) {
  for (;;) {
    auto entry = co_await held.next(ctx);
    if (!entry) {
      log += entry.error().text();
      co_return;
    }
    if (fails-- > 0) {
      log += "!";
      held.put_back(std::move(*entry));
      (void)co_await back.wait(ctx);
      continue;
    }
    log += std::to_string(entry->value) + ",";
  }
}

TEST(HoldBuffer, holds_during_an_outage_and_drains_in_order_on_recovery) {
  Rig rig;
  Dropped dropped;
  Bell<> back(rig.loop, "back");
  HoldBuffer<int> held(rig.loop, 10, "events", dropped.tell());
  std::string log;
  rig.go(deliver(rig.root, held, back, 1, log));
  for (int i = 1; i <= 3; ++i) held.put(i);
  rig.idle();
  EXPECT_EQ(log, "!");
  held.put(4);
  rig.idle();
  EXPECT_EQ(held.size(), 4U);
  back.ring();
  held.close();
  rig.idle();
  EXPECT_EQ(log, "!1,2,3,4,buffer 'events' is closed");
  held.put(5);
  EXPECT_EQ(dropped.log, "5: buffer 'events' is closed;");
}

TEST(HoldBuffer, evicts_the_oldest_when_it_is_full_and_tells) {
  Rig rig;
  Dropped dropped;
  Bell<> back(rig.loop, "back");
  HoldBuffer<int> held(rig.loop, 2, "events", dropped.tell());
  for (int i = 1; i <= 3; ++i) held.put(i);
  EXPECT_EQ(dropped.log, "1: buffer 'events' is full;");
  EXPECT_EQ(held.size(), 2U);
  std::string log;
  rig.go(deliver(rig.root, held, back, 1, log));
  rig.idle();
  held.put(4);
  EXPECT_EQ(dropped.log, "1: buffer 'events' is full;2: buffer 'events' is full;");
  back.ring();
  held.close();
  rig.idle();
  EXPECT_EQ(log, "!3,4,buffer 'events' is closed");
}

TEST(HoldBuffer, an_entry_goes_at_its_deadline_and_its_owner_is_told) {
  Rig rig;
  Dropped dropped;
  HoldBuffer<int> held(rig.loop, 10, "events", dropped.tell());
  held.put(1, rig.clock.now() + seconds(5));
  held.put(2, rig.clock.now() + seconds(1));
  held.put(3);
  rig.loop.advance(seconds(1));
  EXPECT_EQ(dropped.log, "2: buffer 'events' held it for too long;");
  rig.loop.advance(seconds(4));
  EXPECT_EQ(held.size(), 1U);
  dropped.log.clear();
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(HoldBuffer, what_is_left_at_the_end_is_told) {
  Rig rig;
  Dropped dropped;
  {
    HoldBuffer<int> held(rig.loop, 10, "events", dropped.tell());
    held.put(1, rig.clock.now() + seconds(5));
    held.put(2);
  }
  EXPECT_EQ(dropped.log, "1: buffer 'events' is gone;2: buffer 'events' is gone;");
}

TEST(HoldBuffer, a_cancelled_next_takes_nothing) {
  Rig rig;
  Dropped dropped;
  Bell<> back(rig.loop, "back");
  HoldBuffer<int> held(rig.loop, 10, "events", dropped.tell());
  Context ctx(rig.root);
  ctx.cancel();
  held.put(1);
  std::string log;
  rig.go(deliver(ctx, held, back, 0, log));
  rig.idle();
  EXPECT_EQ(log, "cancelled");
  EXPECT_EQ(held.size(), 1U);
}

// --- 39: a pool of things

struct Connection {
  int number;
  int* alive;
  explicit Connection(int n, int* a) : number(n), alive(a) { ++*alive; }
  Connection(Connection&& other) noexcept
      : number(other.number), alive(std::exchange(other.alive, nullptr)) {}
  Connection& operator=(Connection&& other) noexcept {
    std::swap(number, other.number);
    std::swap(alive, other.alive);
    return *this;
  }
  ~Connection() {
    if (alive != nullptr) --*alive;
  }
};

struct Database {
  Loop& loop;
  int made = 0;
  int alive = 0;
  bool broken = false;
  Pool<Connection> pool;
  std::string log;

  Database(Loop& l, std::size_t most)
      : loop(l), pool(l, most, "database", [this](Context& ctx) { return connect(ctx, *this); }) {}
  static Task<Result<Connection>> connect(Context& ctx, Database& self) {
    Result<void> slept = co_await sleep_for(ctx, milliseconds(10));
    if (!slept) co_return std::unexpected(slept.error());
    if (self.broken) co_return std::unexpected(Error::failed("cannot connect"));
    co_return Connection(++self.made, &self.alive);
  }
  static Task<> query(Context& ctx, Database& self, std::string name, Duration time, bool breaks = false) {
    auto lease = co_await self.pool.borrow(ctx);
    if (!lease) {
      self.log += name + ": " + lease.error().text() + ";";
      co_return;
    }
    self.log += name + std::to_string((*lease)->number) + ";";
    (void)co_await sleep_for(ctx, time);
    if (breaks) lease->discard();
  }
};

TEST(Pool, lends_what_is_there_makes_what_is_missing_and_keeps_the_order) {
  Rig rig;
  Database db(rig.loop, 2);
  for (const char* name : {"a", "b", "c", "d"}) rig.go(Database::query(rig.root, db, name, seconds(1)));
  rig.loop.advance(milliseconds(10));
  EXPECT_EQ(db.log, "a1;b2;");
  EXPECT_EQ(db.pool.waiting(), 2U);
  rig.loop.advance(seconds(2));
  EXPECT_EQ(db.log, "a1;b2;c2;d1;") << "the one that came back last is lent first";
  EXPECT_EQ(db.alive, 2);
  EXPECT_EQ(db.pool.idle(), 2U);
}

TEST(Pool, a_broken_thing_is_replaced_and_a_failed_making_gives_the_place_to_the_next) {
  Rig rig;
  Database db(rig.loop, 1);
  rig.go(Database::query(rig.root, db, "a", seconds(1), true));
  rig.go(Database::query(rig.root, db, "b", seconds(1)));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(db.log, "a1;b2;");
  EXPECT_EQ(db.alive, 1);
  db.pool.clear();
  EXPECT_EQ(db.alive, 0);
  db.broken = true;
  db.log.clear();
  rig.go(Database::query(rig.root, db, "c", seconds(1)));
  rig.go(Database::query(rig.root, db, "d", seconds(1)));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(db.log, "c: cannot connect;d: cannot connect;");
  EXPECT_EQ(db.pool.available(), 1U);
}

TEST(Pool, a_thing_never_dies_in_a_wait_that_was_lost) {
  for (const bool cancel_first : {false, true}) {
    Rig rig;
    Database db(rig.loop, 1);
    Context impatient(rig.root);
    rig.go(Database::query(rig.root, db, "a", seconds(1)));
    rig.loop.advance(milliseconds(10));
    rig.go(Database::query(impatient, db, "b", seconds(1)));
    rig.idle();
    if (cancel_first) impatient.cancel();
    rig.loop.advance(seconds(1));  // a gives it back, and b is handed the place
    if (!cancel_first) impatient.cancel();
    rig.idle();
    rig.go(Database::query(rig.root, db, "c", seconds(1)));
    rig.idle();
    EXPECT_EQ(db.log, cancel_first ? "a1;b: cancelled;c1;" : "a1;b1;c1;");
    rig.loop.advance(seconds(2));
    EXPECT_EQ(db.alive, 1);
  }
}

TEST(Pool, closing_tells_all_who_wait_and_what_comes_back_is_destroyed) {
  Rig rig;
  Database db(rig.loop, 1);
  rig.go(Database::query(rig.root, db, "a", seconds(1)));
  rig.loop.advance(milliseconds(10));
  rig.go(Database::query(rig.root, db, "b", seconds(1)));
  rig.go(Database::query(rig.root, db, "c", seconds(1)));
  rig.idle();
  struct Body {
    static Task<> close(Context& ctx, Database& db) {
      Result<void> closed = co_await db.pool.close_and_join(ctx);
      db.log += closed ? "joined" : closed.error().text();
    }
  };
  rig.go(Body::close(rig.root, db));
  rig.idle();
  EXPECT_EQ(db.log,
            "a1;b: cannot borrow from pool 'database': it is closed;c: cannot borrow from pool 'database': "
            "it is closed;");
  rig.loop.advance(seconds(1));
  EXPECT_TRUE(db.log.ends_with(";joined"));
  EXPECT_EQ(db.alive, 0);
}

struct PoolScenario {
  Context ctx;
  Database db;
  WaitGroup tasks;
  PoolScenario(Loop& loop, Context& root) : ctx(root), db(loop, 1), tasks(loop) {
    spawn(tasks, "a", Database::query(root, db, "a", seconds(1)));
    spawn(tasks, "b", Database::query(ctx, db, "b", seconds(1), true));
    spawn(tasks, "c", Database::query(root, db, "c", seconds(1)));
    spawn(tasks, "driver", drive(root, *this));
  }
  static Task<> drive(Context& root, PoolScenario& self) {
    (void)co_await sleep_for(root, seconds(1));
    self.ctx.cancel();
  }
};

TEST(Pool, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<PoolScenario>(), 10); }

// --- 40: a queue and one signal

struct Queue {
  Wakeup news;
  std::deque<int> items;
  std::string log;
  explicit Queue(Loop& loop) : news(loop, "news") {}
  void put(int value) {
    items.push_back(value);
    news.notify();
  }
  static Task<> drain(Context& ctx, Queue& self) {
    while (Result<void> woken = co_await self.news.wait(ctx)) {
      self.log += "[";
      for (; !self.items.empty(); self.items.pop_front()) self.log += std::to_string(self.items.front());
      self.log += "]";
    }
  }
};

TEST(QueueAndSignal, one_wake_up_drains_many) {
  Rig rig;
  Context ctx(rig.root);
  Queue queue(rig.loop);
  rig.go(Queue::drain(ctx, queue));
  for (int i = 1; i <= 3; ++i) queue.put(i);
  rig.idle();
  queue.put(4);
  rig.idle();
  EXPECT_EQ(queue.log, "[123][4]");
  ctx.cancel();
  rig.idle();
}

// --- 42: the first error at once, or all

Task<Result<void>> fail_after(Context& ctx, Duration time, std::string why) {
  Result<void> slept = co_await sleep_for(ctx, time);
  if (!slept) co_return slept;
  co_return std::unexpected(Error::failed(std::move(why)));
}

Task<> command(Context& ctx, ErrorGroup::Policy policy, std::string& log) {
  ErrorGroup group(ctx, policy, "command");
  spawn(group, "a", fail_after(group.context(), seconds(1), "a is broken"));
  spawn(group, "b", fail_after(group.context(), seconds(5), "b is broken"));
  Result<void> ended = co_await group.wait(ctx);
  log = ended ? "ok" : ended.error().text();
}

TEST(TwoContracts, one_ends_with_the_first_error_and_the_other_with_the_last_task) {
  Rig rig;
  std::string first;
  std::string all;
  rig.go(command(rig.root, ErrorGroup::Policy::first_error_cancels, first));
  rig.go(command(rig.root, ErrorGroup::Policy::all_run, all));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(first, "a is broken");
  EXPECT_EQ(all, "");
  rig.loop.advance(seconds(4));
  EXPECT_EQ(all, "2 tasks failed: a: a is broken; b: b is broken");
}

// --- 43: ticks

Task<> count_ticks(Context& ctx, Ticker& ticker, Duration work, std::string& log) {
  const TimePoint begun = ctx.loop().now();
  while (Result<Tick> tick = co_await ticker.next(ctx)) {
    log += std::to_string((tick->at - begun) / milliseconds(1));
    if (tick->missed > 0) log += "(" + std::to_string(tick->missed) + ")";
    log += ";";
    (void)co_await sleep_for(ctx, work);
  }
  log += "over";
}

TEST(Ticker, does_not_drift_by_the_time_that_the_work_takes) {
  Rig rig;
  Context ctx(rig.root);
  Ticker ticker(rig.loop, milliseconds(100), "recheck");
  std::string log;
  rig.go(count_ticks(ctx, ticker, milliseconds(30), log));
  for (int i = 0; i < 35; ++i) rig.loop.advance(milliseconds(10));
  EXPECT_EQ(log, "100;200;300;");
  ctx.cancel();
  rig.idle();
  EXPECT_TRUE(rig.loop.timers().empty());
}

TEST(Ticker, who_is_late_gets_one_tick_and_the_next_one_is_on_time) {
  Rig rig;
  Ticker ticker(rig.loop, milliseconds(100), "recheck");
  std::string log;
  rig.go(count_ticks(rig.root, ticker, milliseconds(0), log));
  rig.idle();
  rig.clock.advance(milliseconds(450));  // a pause of the whole process
  rig.idle();
  EXPECT_EQ(log, "400(3);");
  rig.loop.advance(milliseconds(50));
  EXPECT_EQ(log, "400(3);500;");
  ticker.stop();
  rig.idle();
  EXPECT_EQ(log, "400(3);500;over") << "it stops for good";
}

TEST(Ticker, another_period_counts_from_now_and_an_endless_one_never_ticks) {
  Rig rig;
  Ticker ticker(rig.loop, Duration::max(), "recheck");
  std::string log;
  rig.go(count_ticks(rig.root, ticker, milliseconds(0), log));
  rig.loop.advance(seconds(1000));
  EXPECT_EQ(log, "");
  ticker.reset(seconds(1));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "1001000;");
  ticker.stop();
  rig.idle();
}

Task<> select_ticks(Context& ctx, Ticker& ticker, Wakeup& other, std::string& log) {
  auto tick = on(ticker);
  auto woken = on(other);
  for (;;) {
    const std::size_t which = co_await select(ctx, tick, woken);
    if (which == 1) {
      log += "woken;";
      continue;
    }
    Result<Tick> got = which == 0 ? tick.take() : Result<Tick>(std::unexpected(Error::cancelled()));
    if (!got) co_return;
    log += "tick;";
  }
}

TEST(Ticker, can_be_selected_and_other_news_does_not_move_it) {
  Rig rig;
  Ticker ticker(rig.loop, seconds(10), "recheck");
  Wakeup other(rig.loop, "other");
  std::string log;
  rig.go(select_ticks(rig.root, ticker, other, log));
  rig.loop.advance(seconds(9));
  other.notify();
  rig.idle();
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "woken;tick;");
  ticker.stop();
  rig.idle();
}

TEST(TickerDeathTest, a_period_that_is_not_positive_names_it) {
  EXPECT_DEATH(
      {
        Loop loop;
        Ticker ticker(loop, Duration::zero(), "recheck");
      },
      "cannot make a ticker 'recheck': its period is not positive");
}

// --- 48: whoever has sent a value has it no more

template <class T>
concept CanSendCopyOf =
    requires(Channel<T>& channel, Context& ctx, const T& value) { channel.send(ctx, value); };

TEST(SentValue, is_moved_so_that_what_cannot_be_copied_is_nobody_elses) {
  static_assert(!CanSendCopyOf<std::unique_ptr<int>>);
  Rig rig;
  Channel<std::unique_ptr<int>> channel(rig.loop, 1, "owned");
  auto mine = std::make_unique<int>(42);
  EXPECT_TRUE(channel.try_send(mine));
  EXPECT_EQ(mine, nullptr);
  auto second = std::make_unique<int>(43);
  EXPECT_FALSE(channel.try_send(second));
  EXPECT_NE(second, nullptr) << "what was not sent is still here";
}

}  // namespace
}  // namespace belfry
