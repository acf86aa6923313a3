// One rule for the order of a turn: what has arrived is known first, then who has died, then levels and
// deadlines.
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class TurnOrder : public Rig {
 protected:
  // Deaths are told long after they happened, as when signals coalesce.
  void notice_deaths_late() {
    processes.notices_late = [](const RunId&) { return Duration(20ms); };
  }
  static config::Service& with_timeout(config::Service& service, Duration timeout) {
    service.ready.probes[0].timeout = timeout;
    return service;
  }
  // belfry stands still: the clock goes on, and nothing is looked at.
  void pause(Duration how_long) { clock.advance(how_long); }
};

TEST_F(TurnOrder, nobody_starts_on_who_has_died_and_was_not_told_of) {
  notice_deaths_late();
  daemon("db").restart->delay = 1s;
  speaking(daemon("cache"));
  daemon("api", {"db", "cache"});
  up();
  end("db", 1);
  ASSERT_EQ(state("db"), State::ready) << "its death is not known yet";
  say_ready("cache");
  EXPECT_THAT(processes.log(), Not(Contains("spawn api#1")));
  EXPECT_EQ(state("db"), State::backoff) << "a look at the child is enough to know";
  advance(1s);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(TurnOrder, who_says_ready_and_is_dead_by_then_starts_nobody) {
  notice_deaths_late();
  speaking(daemon("db")).restart->policy = config::RestartPolicy::no;
  daemon("api", {"db"});
  up();
  end("db", 1);
  say_ready("db");
  EXPECT_THAT(processes.log(), Not(Contains("spawn api#1")));
  EXPECT_EQ(state("db"), State::failed);
}

TEST_F(TurnOrder, a_quorum_that_can_spare_its_dead_member_lets_others_start_in_the_same_instant) {
  notice_deaths_late();
  daemon("a").restart->delay = 1s;
  daemon("b");
  gate("quorum", {"a", "b"}).require.count = 1;
  speaking(daemon("cache"));
  daemon("api", {"quorum", "cache"});
  up();
  end("a", 1);
  say_ready("cache");
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(TurnOrder, a_wait_is_not_answered_by_the_dead) {
  notice_deaths_late();
  daemon("db").restart->policy = config::RestartPolicy::no;
  up();
  end("db", 1);
  ASSERT_EQ(state("db"), State::ready);
  Asked& asked = wait_for("db", Condition::ready);
  ASSERT_TRUE(asked.waited);
  EXPECT_FALSE(asked.waited->has_value());
}

TEST_F(TurnOrder, the_stack_is_not_up_on_who_has_died) {
  notice_deaths_late();
  daemon("db").restart->delay = 1s;
  speaking(daemon("web"));
  up();
  end("db", 1);
  say_ready("web");
  EXPECT_FALSE(supervisor->up().rung());
  advance(1s);
  EXPECT_TRUE(supervisor->up().rung());
}

TEST_F(TurnOrder, a_pause_of_belfry_is_not_taken_from_the_time_of_a_start) {
  with_timeout(speaking(daemon("db")), 2s).restart->policy = config::RestartPolicy::no;
  up();
  advance(1s);
  pause(5s);
  loop.run_until_idle();
  EXPECT_EQ(state("db"), State::starting);
  say_ready("db");
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(TurnOrder, after_a_pause_the_rest_of_the_time_still_ends) {
  with_timeout(speaking(daemon("db")), 2s).restart->policy = config::RestartPolicy::no;
  up();
  advance(1s);
  pause(5s);
  loop.run_until_idle();
  advance(1s);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), HasSubstr("was not ready in time"));
}

TEST_F(TurnOrder, a_pause_of_belfry_is_no_silence_of_the_watchdogs_service) {
  config::Service& dog = speaking(daemon("dog"));
  dog.extras = std::make_unique<config::ServiceExtras>();
  dog.extras->watchdog = 2s;
  up();
  say_ready("dog");
  advance(1s);
  pause(10s);
  loop.run_until_idle();
  EXPECT_EQ(state("dog"), State::ready);
  advance(3s);
  EXPECT_NE(state("dog"), State::ready) << "then it has to speak again";
}

TEST_F(TurnOrder, an_attempt_that_belfry_slept_through_says_nothing_of_the_service) {
  config::Service& web = daemon("web");
  web.live = std::make_unique<config::ProbeSet>();
  web.live->probes.push_back(a_probe());
  web.live->probes[0].failure_threshold = 1;
  web.live->probes[0].period = 1s;
  web.live->probes[0].timeout = 1s;
  bool answers = true;
  probes.answer = [&answers](const std::string&, const config::Probe&) {
    return answers ? ProbeAnswer{} : ProbeAnswer{.takes = 10s};
  };
  up();
  answers = false;  // the question of this attempt stays without an answer
  while (probes.checks_running() == 0) advance(10ms);
  pause(5s);
  answers = true;
  loop.run_until_idle();
  EXPECT_EQ(service("web").record().runs, 1U);
}

TEST_F(TurnOrder, a_pause_of_belfry_is_not_taken_from_the_time_of_a_stop) {
  daemon("db").stop.timeout = 3s;
  script("db", {.stops_after = std::nullopt});
  up();
  down(60s);
  advance(500ms);
  pause(4s);
  loop.run_until_idle();
  EXPECT_EQ(when("SIGKILL db#1"), -1) << "it had half a second";
  advance(60s);
  EXPECT_NE(when("SIGKILL db#1"), -1);
}

TEST_F(TurnOrder, a_pause_of_belfry_is_not_taken_from_the_timeout_of_an_edge) {
  speaking(daemon("db"));
  depends(daemon("web"), stack, "db").timeout = 3s;
  up();
  advance(1s);
  pause(4s);
  loop.run_until_idle();
  EXPECT_EQ(state("web"), State::waiting);
  say_ready("db");
  EXPECT_EQ(state("web"), State::ready);
}

// The shim of an isolated service may be stopped: the death is there to see, and nobody tells it.
TEST_F(TurnOrder, a_death_that_is_never_told_costs_no_busy_loop) {
  processes.notices_late = [](const RunId&) { return Duration(1h); };
  processes.tells_when_asked = false;
  daemon("db");
  speaking(daemon("cache"));
  daemon("api", {"db", "cache"});
  up();
  end("db", 1);
  service("cache").said({.ready = true});
  EXPECT_LT(loop.run_until_idle(), 100U);
  EXPECT_THAT(processes.log(), Not(Contains("spawn api#1")));
  advance(1s);
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_EQ(wait_for("db", Condition::ready).waited, std::nullopt);
  down();
  advance(2h);
}

TEST_F(TurnOrder, the_stack_comes_up_although_the_death_changed_no_state) {
  processes.notices_late = [](const RunId&) { return Duration(20ms); };
  speaking(daemon("forking"));
  script("forking", {.exits_after = 1s, .leaves_behind = 1, .children_stop_after = 0s});
  speaking(daemon("web"));
  up();
  say_ready("forking");
  advance(1s);  // its first process has gone, and nobody was told yet
  say_ready("web");
  advance(100ms);
  EXPECT_EQ(state("forking"), State::ready);
  EXPECT_TRUE(supervisor->up().rung());
}

}  // namespace
}  // namespace belfry::testing
