#include "channels/request.hpp"

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;
using Square = Request<int, int>;

Task<> square_server(Context& ctx, Receiver<Square> in, Duration takes, int& unheard) {
  while (Result<Square> request = co_await in.receive(ctx)) {
    (void)co_await sleep_for(ctx, takes);
    const int n = request->question;
    const bool heard =
        n < 0 ? request->reply.fail(Error(Error::Kind::invalid, "negative")) : request->reply.answer(n * n);
    unheard += heard ? 0 : 1;
  }
}
Task<> ask_into(Context& ctx, Sender<Square> server, int n, std::string& log) {
  Result<int> answer = co_await ask(ctx, server, n);
  log += answer ? std::to_string(*answer) + ";" : answer.error().text() + ";";
}

TEST(Request, the_answer_comes_to_the_one_who_asked) {
  Rig rig;
  Channel<Square> channel(rig.loop, 4, "squares");
  int unheard = 0;
  std::string a;
  std::string b;
  std::string c;
  rig.go(square_server(rig.root, channel.receiver(), seconds(1), unheard));
  rig.go(ask_into(rig.root, channel.sender(), 3, a));
  rig.go(ask_into(rig.root, channel.sender(), 4, b));
  rig.go(ask_into(rig.root, channel.sender(), -1, c));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(a, "9;");
  EXPECT_EQ(b, "16;");
  EXPECT_EQ(c, "negative;");
  channel.close();
  rig.idle();
}

TEST(Request, the_asker_leaves_at_its_deadline_and_the_worker_is_not_blocked) {
  Rig rig;
  Channel<Square> channel(rig.loop, 4, "squares");
  int unheard = 0;
  std::string log;
  rig.go(square_server(rig.root, channel.receiver(), seconds(2), unheard));
  Context patience(rig.root, rig.clock.now() + seconds(1));
  rig.go(ask_into(patience, channel.sender(), 3, log));
  rig.go(ask_into(rig.root, channel.sender(), 5, log));
  rig.loop.advance(seconds(4));
  EXPECT_EQ(log, "deadline exceeded;25;");
  EXPECT_EQ(unheard, 1);
  channel.close();
  rig.idle();
}

TEST(Request, what_is_left_in_the_queue_is_refused_not_lost) {
  Rig rig;
  std::string log;
  Channel<Square> channel(rig.loop, 4, "squares");
  rig.go(ask_into(rig.root, channel.sender(), 3, log));
  rig.idle();
  channel.close();
  rig.go(ask_into(rig.root, channel.sender(), 4, log));
  rig.idle();
  EXPECT_EQ(log, "cannot send on channel 'squares': it is closed;");
  channel.refuse(Error::cancelled());
  rig.idle();
  EXPECT_EQ(
      log,
      "cannot send on channel 'squares': it is closed;the question was not answered: cannot answer what was "
      "sent to channel 'squares': it is closed;");
}

TEST(Request, a_question_that_is_dropped_says_so) {
  Rig rig;
  std::string log;
  Channel<Square> channel(rig.loop, 4, "squares");
  rig.go(ask_into(rig.root, channel.sender(), 3, log));
  rig.idle();
  {
    std::optional<Square> dropped = channel.try_receive();
  }
  rig.idle();
  EXPECT_EQ(log, "the question was dropped unanswered;");
}

TEST(Request, an_answer_beats_a_deadline_of_the_same_turn) {
  Rig rig;
  Reply<int> reply(rig.loop);
  Replier<int> replier = reply.replier();
  Context ctx(rig.root);
  std::string log;
  struct Body {
    static Task<> run(Context& ctx, Reply<int>& reply, std::string& log) {
      Result<int> answer = co_await reply.wait(ctx);
      log = answer ? std::to_string(*answer) : answer.error().text();
    }
  };
  rig.go(Body::run(ctx, reply, log));
  rig.idle();
  ctx.cancel();
  EXPECT_TRUE(replier.answer(6));
  EXPECT_FALSE(replier.answer(7)) << "once";
  rig.idle();
  EXPECT_EQ(log, "6");
}

TEST(Request, a_replier_may_be_moved_and_may_outlive_the_asker) {
  Rig rig;
  Replier<int> kept;
  EXPECT_TRUE(kept.abandoned());
  {
    Reply<int> reply(rig.loop);
    Replier<int> first = reply.replier();
    kept = std::move(first);
    EXPECT_FALSE(kept.abandoned());
  }
  EXPECT_TRUE(kept.abandoned());
  EXPECT_FALSE(kept.answer(1));
}

struct RequestScenario {
  Channel<Square> channel;
  WaitGroup tasks;
  Context child;
  int unheard = 0;
  std::string log;
  RequestScenario(Loop& loop, Context& root)
      : channel(loop, 1, "squares"), tasks(loop), child(root, loop.now() + seconds(3)) {
    spawn(tasks, "server", square_server(root, channel.receiver(), seconds(2), unheard));
    for (int i = 0; i < 3; ++i) spawn(tasks, "asker", ask_into(child, channel.sender(), i, log));
    spawn(tasks, "closer", close(root, channel));
  }
  static Task<> close(Context& ctx, Channel<Square>& channel) {
    (void)co_await sleep_for(ctx, seconds(9));
    channel.close();
  }
};

TEST(Request, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<RequestScenario>(), 5);
}

}  // namespace
}  // namespace belfry
