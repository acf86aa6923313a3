// Nothing hangs and nothing is lost: what ends closes and refuses its queue, with the cause; a value that was
// not sent comes back.
#include <memory>
#include <stdexcept>

#include "channels/channel_case.hpp"
#include "channels/handshake.hpp"
#include "channels/once.hpp"
#include "channels/request.hpp"
#include "channels/sleep.hpp"
#include "channels/worker_pool.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;
using Connection = std::unique_ptr<int>;
using Square = Request<int, int>;

Task<> submit(Context& ctx, WorkerPool<int>& pool, int item, std::string& log) {
  auto sent = co_await pool.submit(ctx, item);
  log += sent ? "accepted;" : sent.error().text() + ", back comes " + std::to_string(*sent.take_back()) + ";";
}
Task<> join(Context& ctx, WorkerPool<int>& pool, std::string& log) {
  Result<void> joined = co_await pool.close_and_join(ctx);
  log += joined ? "joined;" : joined.error().text() + ";";
}
Task<> nothing(Context&, int) { co_return; }

TEST(NothingLost, a_cancelled_pool_takes_no_more_work_and_says_what_it_has_not_done) {
  Rig rig;
  std::string log;
  Context parent(rig.root);
  WorkerPool<int> pool(parent, 1, 3, "pool",
                       [](Context& ctx, int) -> Task<> { (void)co_await sleep_for(ctx, seconds(9)); });
  for (int i : {0, 1, 2, 3}) rig.go(submit(rig.root, pool, i, log));
  rig.idle();
  rig.go(submit(rig.root, pool, 4, log));
  rig.idle();
  EXPECT_EQ(log, "accepted;accepted;accepted;accepted;");
  parent.cancel(Error::cancelled("shutting down"));
  rig.idle();
  rig.go(submit(rig.root, pool, 5, log));
  rig.idle();
  rig.go(join(rig.root, pool, log));
  rig.idle();
  EXPECT_EQ(log,
            "accepted;accepted;accepted;accepted;"
            "cannot send on channel 'pool': it is closed: shutting down, back comes 4;"
            "cannot send on channel 'pool': it is closed: shutting down, back comes 5;"
            "cannot do 3 items of worker pool 'pool': shutting down;");
}

TEST(NothingLost, a_pool_that_is_made_on_a_cancelled_context_accepts_nothing) {
  Rig rig;
  std::string log;
  Context parent(rig.root);
  parent.cancel();
  WorkerPool<int> pool(parent, 2, 3, "pool", &nothing);
  int item = 7;
  EXPECT_FALSE(pool.try_submit(item));
  rig.go(submit(rig.root, pool, 8, log));
  rig.go(join(rig.root, pool, log));
  rig.idle();
  EXPECT_EQ(log, "cannot send on channel 'pool': it is closed: cancelled, back comes 8;joined;");
}

TEST(NothingLostDeathTest, a_pool_without_workers_names_itself) {
  EXPECT_DEATH(
      {
        Rig rig;
        WorkerPool<int> pool(rig.root, 0, 3, "idlers", &nothing);
      },
      "cannot make worker pool 'idlers': it was given no workers");
}

struct Stopped {
  static Task<Result<int>> make(Context&) { co_return 7; }
  static Task<> stop_and_get(Context& ctx, Once<int>& once, std::string& log) {
    Result<void> stopped = co_await once.stop(ctx);
    log += stopped ? "stopped;" : stopped.error().text() + ";";
    Result<int*> got = co_await once.get(ctx);
    log += got ? std::to_string(**got) + ";" : got.error().text() + ";";
  }
};

TEST(NothingLost, who_asks_a_once_that_was_stopped_is_told_so) {
  Rig rig;
  std::string log;
  Once<int> once(rig.root, "libpq", &Stopped::make);
  rig.go(Stopped::stop_and_get(rig.root, once, log));
  rig.idle();
  EXPECT_EQ(log, "stopped;cannot make 'libpq': it was stopped before;");
}

TEST(NothingLost, what_a_once_has_made_stays_when_it_is_stopped) {
  Rig rig;
  std::string log;
  Once<int> once(rig.root, "libpq", &Stopped::make);
  rig.go([](Context& ctx, Once<int>& o) -> Task<> { (void)co_await o.get(ctx); }(rig.root, once));
  rig.idle();
  rig.go(Stopped::stop_and_get(rig.root, once, log));
  rig.idle();
  EXPECT_EQ(log, "stopped;7;");
}

TEST(NothingLostDeathTest, a_get_from_inside_the_work_is_seen) {
  EXPECT_DEATH(
      {
        struct Nested {
          static Task<Result<int>> make(Context& ctx, Once<int>*& once) {
            Result<int*> inner = co_await once->get(ctx);
            co_return inner ? **inner : 0;
          }
          static Task<> ask(Context& ctx, Once<int>& once) { (void)co_await once.get(ctx); }
        };
        Rig rig;
        Once<int>* self = nullptr;
        Once<int> once(rig.root, "libpq", [&self](Context& ctx) { return Nested::make(ctx, self); });
        self = &once;
        rig.go(Nested::ask(rig.root, once));
        rig.idle();
      },
      "cannot get 'libpq': from inside the work that makes it: it would wait for itself");
}

// A worker that breaks at the third question.
Task<> breakable(Context& ctx, Receiver<Square> in) {
  for (int n = 0;; ++n) {
    Result<Square> request = co_await in.receive(ctx);
    if (!request) co_return;
    (void)co_await sleep_for(ctx, seconds(1));
    if (n == 2) throw std::runtime_error("broken");
    request->reply.answer(request->question * request->question);
  }
}
Task<> ask_into(Context& ctx, Sender<Square> server, int n, std::string& log) {
  Result<int> answer = co_await ask(ctx, server, n);
  log += answer ? std::to_string(*answer) + ";" : answer.error().text() + ";";
}
Task<> stop_into(Context& ctx, Handshake& handshake, std::string& log) {
  Result<void> stopped = co_await handshake.stop(ctx);
  log += stopped ? "stopped;" : stopped.error().text() + ";";
}

TEST(NothingLost, a_worker_that_throws_strands_nobody_wherever_he_waits) {
  Rig rig;
  std::string log;
  Channel<Square> questions(rig.loop, 1, "squares");
  Handshake worker(rig.root, "squarer");
  spawn(worker, serving(questions, breakable(worker.context(), questions.receiver())));
  for (int n = 1; n <= 5; ++n) rig.go(ask_into(rig.root, questions.sender(), n, log));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(
      log,
      "1;4;the question was dropped unanswered;"
      "cannot send on channel 'squares': it is closed: its worker threw: broken;"
      "the question was not answered: cannot answer what was sent to channel 'squares': it is closed: its "
      "worker threw: broken;")
      << "the one it was at, one that waited for a place in the queue, one that was in the queue";
  log.clear();
  rig.go(ask_into(rig.root, questions.sender(), 6, log));
  rig.go(stop_into(rig.root, worker, log));
  rig.idle();
  EXPECT_EQ(log,
            "cannot send on channel 'squares': it is closed: its worker threw: broken;task 'squarer' threw: "
            "broken;");
}

TEST(NothingLost, a_worker_that_ends_closes_its_queue_too) {
  Rig rig;
  std::string log;
  Channel<Square> questions(rig.loop, 0, "squares");
  Handshake worker(rig.root, "squarer");
  spawn(worker, serving(questions, breakable(worker.context(), questions.receiver())));
  rig.idle();
  worker.request_stop();
  rig.go(ask_into(rig.root, questions.sender(), 1, log));
  rig.idle();
  EXPECT_EQ(log, "cannot send on channel 'squares': it is closed: its worker has ended;");
}

Task<> send_connection(Context& ctx, Channel<Connection>& pool, Connection one, Connection& back) {
  auto sent = co_await pool.send(ctx, std::move(one));
  if (!sent) back = std::move(*sent.take_back());
}

TEST(NothingLost, a_send_that_is_cancelled_gives_the_value_back) {
  Rig rig;
  Channel<Connection> pool(rig.loop, 0, "pool");
  Context ctx(rig.root);
  Connection back;
  rig.go(send_connection(ctx, pool, std::make_unique<int>(5), back));
  rig.idle();
  ctx.cancel();
  rig.idle();
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(*back, 5);
  Connection again;
  rig.go(send_connection(ctx, pool, std::move(back), again));
  rig.idle();
  ASSERT_NE(again, nullptr) << "also on a context that was cancelled before";
  EXPECT_EQ(*again, 5);
}

TEST(NothingLost, a_send_to_a_closed_channel_gives_the_value_back) {
  Rig rig;
  Channel<Connection> pool(rig.loop, 0, "pool");
  Connection waiting;
  Connection late;
  rig.go(send_connection(rig.root, pool, std::make_unique<int>(5), waiting));
  rig.idle();
  pool.close();
  rig.go(send_connection(rig.root, pool, std::make_unique<int>(6), late));
  rig.idle();
  ASSERT_NE(waiting, nullptr);
  EXPECT_EQ(*waiting, 5);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(*late, 6);
}

TEST(NothingLost, a_value_that_was_sent_does_not_come_back) {
  Rig rig;
  Channel<Connection> pool(rig.loop, 1, "pool");
  auto wait = pool.send(rig.root, std::make_unique<int>(5));
  ASSERT_TRUE(wait.await_ready());
  auto sent = wait.await_resume();
  EXPECT_TRUE(sent);
  EXPECT_FALSE(sent.take_back().has_value());
  EXPECT_EQ(pool.size(), 1U);
}

TEST(NothingLost, a_send_case_that_loses_gives_its_value_back_and_one_that_wins_does_not) {
  Rig rig;
  Channel<Connection> full(rig.loop, 0, "full");
  Channel<Connection> empty(rig.loop, 1, "empty");
  auto loser = send(full, std::make_unique<int>(1));
  auto winner = send(empty, std::make_unique<int>(2));
  auto wait = select(rig.root, loser, winner);
  ASSERT_TRUE(wait.await_ready());
  ASSERT_EQ(wait.await_resume(), 1U);
  EXPECT_TRUE(winner.sent().has_value());
  EXPECT_FALSE(winner.take_back().has_value());
  EXPECT_EQ(loser.sent().error().kind(), Error::Kind::invalid);
  std::optional<Connection> back = loser.take_back();
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(**back, 1);
  EXPECT_FALSE(loser.take_back().has_value()) << "once";
}

TEST(NothingLost, a_send_case_without_a_value_is_not_ready) {
  Rig rig;
  Channel<int> channel(rig.loop, 4, "out");
  auto out = send(channel, 1);
  auto none = otherwise();
  for (const std::size_t expected : {0U, 1U}) {
    auto wait = select(rig.root, out, none);
    ASSERT_TRUE(wait.await_ready());
    EXPECT_EQ(wait.await_resume(), expected);
  }
  EXPECT_EQ(channel.size(), 1U) << "a moved-from value was not sent";
  out.give(2);
  auto wait = select(rig.root, out, none);
  ASSERT_TRUE(wait.await_ready());
  EXPECT_EQ(wait.await_resume(), 0U);
  EXPECT_EQ(channel.size(), 2U);
}

TEST(NothingLost, what_a_receive_case_has_won_and_nobody_took_is_not_dropped_by_the_next_select) {
  Rig rig;
  Channel<int> channel(rig.loop, 2, "in");
  EXPECT_TRUE(channel.try_send(1));
  EXPECT_TRUE(channel.try_send(2));
  auto in = receive(channel);
  for (int i = 0; i < 2; ++i) {
    auto wait = select(rig.root, in);
    ASSERT_TRUE(wait.await_ready());
    EXPECT_EQ(wait.await_resume(), 0U);
  }
  EXPECT_EQ(*in.take(), 1);
  EXPECT_EQ(channel.size(), 1U);
}

TEST(NothingLost, a_closed_channel_says_why_to_those_who_come_to_its_end) {
  Rig rig;
  Channel<int> channel(rig.loop, 1, "feed");
  EXPECT_TRUE(channel.close(Error::failed("the feeder has no network")));
  EXPECT_FALSE(channel.close(Error::failed("another cause"))) << "the first one stays";
  auto wait = channel.receive(rig.root);
  ASSERT_TRUE(wait.await_ready());
  const Result<int> got = wait.await_resume();
  EXPECT_EQ(got.error().kind(), Error::Kind::closed);
  EXPECT_EQ(got.error().text(),
            "cannot receive from channel 'feed': it is closed: the feeder has no network");
}

TEST(NothingLost, who_waits_for_a_reply_that_cannot_come_is_told_at_once) {
  Rig rig;
  Reply<int> unasked(rig.loop, "unasked");
  auto early = unasked.wait(rig.root);
  ASSERT_TRUE(early.await_ready());
  EXPECT_EQ(early.await_resume().error().text(),
            "cannot wait for 'unasked': nobody was asked, because replier() was not called");

  Reply<int> reply(rig.loop, "reply");
  Replier<int> replier = reply.replier();
  EXPECT_TRUE(replier.answer(3));
  auto first = reply.wait(rig.root);
  ASSERT_TRUE(first.await_ready());
  EXPECT_EQ(*first.await_resume(), 3);
  auto second = reply.wait(rig.root);
  ASSERT_TRUE(second.await_ready());
  EXPECT_EQ(second.await_resume().error().text(), "cannot wait for 'reply': its answer was taken already");
}

struct LostScenario {
  std::string log;
  Channel<Square> questions;
  Handshake worker;
  WaitGroup tasks;
  LostScenario(Loop& loop, Context& root)
      : questions(loop, 1, "squares"), worker(root, "squarer"), tasks(loop) {
    spawn(worker, serving(questions, breakable(worker.context(), questions.receiver())));
    for (int n = 0; n < 5; ++n) spawn(tasks, "asker", ask_into(root, questions.sender(), n, log));
    spawn(tasks, "stopper", stop_later(root, worker, log));
  }
  static Task<> stop_later(Context& ctx, Handshake& worker, std::string& log) {
    (void)co_await worker.stopped().wait(ctx);
    co_await stop_into(ctx, worker, log);
  }
};

TEST(NothingLost, a_queue_that_is_refused_can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<LostScenario>(), 8);
}

}  // namespace
}  // namespace belfry
