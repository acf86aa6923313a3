#include "channels/handshake.hpp"

#include <stdexcept>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

// Works until it is asked to stop, then needs a second to put things away.
Task<> server(Handshake& self, Context& always, std::string& log) {
  for (;;) {
    Result<void> slept = co_await sleep_for(self.context(), seconds(10));
    if (!slept) {
      log += "asked;";
      break;
    }
    log += "tick;";
  }
  (void)co_await sleep_for(always, seconds(1));
  log += "put away;";
}
Task<> fail(Context&) {
  throw std::runtime_error("boom");
  co_return;
}
Task<> stop_it(Context& patience, Handshake& handshake, std::string& log) {
  Result<void> stopped = co_await handshake.stop(patience);
  log += stopped ? "stopped;" : stopped.error().text() + ";";
}

TEST(Handshake, stop_returns_only_after_the_task_has_ended) {
  Rig rig;
  std::string log;
  Handshake handshake(rig.root, "server");
  spawn(handshake, server(handshake, rig.root, log));
  rig.loop.advance(seconds(15));
  rig.go(stop_it(rig.root, handshake, log));
  rig.idle();
  EXPECT_EQ(log, "tick;asked;");
  EXPECT_TRUE(handshake.running());
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "tick;asked;put away;stopped;");
  EXPECT_FALSE(handshake.running());
  EXPECT_EQ(handshake.error(), nullptr);
}

TEST(Handshake, impatience_ends_the_wait_not_the_task) {
  Rig rig;
  std::string log;
  Handshake handshake(rig.root, "server");
  spawn(handshake, server(handshake, rig.root, log));
  rig.idle();
  Context patience(rig.root, rig.clock.now() + std::chrono::milliseconds(300));
  rig.go(stop_it(patience, handshake, log));
  rig.loop.advance(std::chrono::milliseconds(500));
  EXPECT_EQ(log, "asked;deadline exceeded;");
  EXPECT_TRUE(handshake.running());
  rig.loop.advance(seconds(1));
  EXPECT_FALSE(handshake.running());
}

TEST(Handshake, stopped_rings_and_the_error_is_kept_when_the_task_throws) {
  Rig rig;
  Handshake handshake(rig.root, "server");
  spawn(handshake, fail(rig.root));
  rig.idle();
  EXPECT_TRUE(handshake.stopped().rung());
  ASSERT_NE(handshake.error(), nullptr);
  EXPECT_EQ(handshake.error()->text(), "task 'server' threw: boom");
}

TEST(Handshake, stopping_what_was_never_started_does_not_wait) {
  Rig rig;
  std::string log;
  Handshake handshake(rig.root, "server");
  rig.go(stop_it(rig.root, handshake, log));
  rig.idle();
  EXPECT_EQ(log, "stopped;");
  spawn(handshake, fail(rig.root));  // refused: it was stopped before it began
  rig.idle();
  EXPECT_EQ(handshake.error(), nullptr);
}

TEST(Handshake, the_parents_cancel_is_a_request_to_stop) {
  Rig rig;
  std::string log;
  Context parent(rig.root);
  Handshake handshake(parent, "server");
  spawn(handshake, server(handshake, rig.root, log));
  rig.idle();
  parent.cancel();
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "asked;put away;");
  EXPECT_TRUE(handshake.stopped().rung());
}

TEST(Handshake, the_answer_beats_impatience_of_the_same_turn) {
  Rig rig;
  std::string log;
  Context patience(rig.root);
  Handshake handshake(rig.root, "quick");
  struct Body {
    static Task<> run(Handshake& self, Context& patience) {
      (void)co_await sleep_for(self.context(), seconds(9));
      patience.cancel();
    }
  };
  spawn(handshake, Body::run(handshake, patience));
  rig.idle();
  rig.go(stop_it(patience, handshake, log));
  rig.idle();
  EXPECT_EQ(log, "stopped;");
}

TEST(HandshakeDeathTest, stopping_it_from_inside_its_own_task_names_it) {
  EXPECT_DEATH(
      {
        Rig rig;
        std::string log;
        Handshake handshake(rig.root, "server");
        spawn(handshake, stop_it(rig.root, handshake, log));
        rig.idle();
      },
      "cannot stop handshake 'server': from inside its own task");
}

TEST(HandshakeDeathTest, destroying_it_while_its_task_runs_names_it) {
  EXPECT_DEATH(
      {
        Rig rig;
        std::string log;
        Handshake handshake(rig.root, "server");
        spawn(handshake, server(handshake, rig.root, log));
        rig.idle();
      },
      "cannot destroy handshake 'server': its task still runs");
}

struct HandshakeScenario {
  Context& root;
  std::string log;
  Handshake handshake;
  WaitGroup tasks;

  HandshakeScenario(Loop& loop, Context& r) : root(r), handshake(r, "server"), tasks(loop) {
    spawn(handshake, server(handshake, root, log));
    spawn(tasks, "stopper", stop_later(root, handshake, log));
  }
  static Task<> stop_later(Context& ctx, Handshake& handshake, std::string& log) {
    (void)co_await sleep_for(ctx, seconds(3));
    co_await stop_it(ctx, handshake, log);
  }
};

TEST(Handshake, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<HandshakeScenario>(), 4);
}

}  // namespace
}  // namespace belfry
