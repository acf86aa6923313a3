// The stack goes down: in reverse, in parallel, within one budget.
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::HasSubstr;

class Shutdown : public Rig {
 protected:
  void expect_nothing_left() {
    EXPECT_TRUE(supervisor->is_at_rest());
    EXPECT_EQ(processes.alive(), 0U);
    EXPECT_TRUE(loop.timers().empty());
    EXPECT_TRUE(resources.held().empty());
    spawn(requests, "end", supervisor->end());
    loop.run_until_idle();
    EXPECT_EQ(loop.tasks(), 0U);
  }
};

TEST_F(Shutdown, a_service_is_asked_only_after_its_dependents_have_stopped) {
  daemon("db");
  daemon("cache");
  daemon("api", {"db", "cache"});
  script("api", {.leaves_behind = 1, .children_stop_after = 1s});
  up();
  down();
  EXPECT_EQ(when("SIGTERM db#1"), -1);
  EXPECT_FALSE(supervisor->is_at_rest());
  advance(1s);
  EXPECT_LT(when("gone api#1"), when("SIGTERM db#1"));
  EXPECT_LT(when("gone api#1"), when("SIGTERM cache#1"));
  expect_nothing_left();
}

TEST_F(Shutdown, a_migration_that_is_done_does_not_hide_who_needs_the_database) {
  daemon("db");
  oneshot("migrate", {"db"});
  daemon("api", {"migrate"});
  script("api", {.stops_after = 1s});
  up();
  end("migrate");
  ASSERT_EQ(state("api"), State::ready);
  down();
  EXPECT_EQ(when("SIGTERM db#1"), -1);
  advance(1s);
  EXPECT_GE(when("SIGTERM db#1"), 0);
  expect_nothing_left();
}

TEST_F(Shutdown, it_ends_what_starts_what_waits_and_what_backs_off_at_once) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  daemon("crashes");
  gate("all", {"db", "api"});
  up();
  end("crashes", 1);
  down();
  expect_nothing_left();
  EXPECT_EQ(state("api"), State::inactive);
}

TEST_F(Shutdown, nobody_waits_for_the_answer_of_a_probe) {
  daemon("db").ready.probes.push_back(a_probe());
  probes.answer = [](const std::string&, const config::Probe&) { return ProbeAnswer{.takes = 1s}; };
  up();
  EXPECT_EQ(probes.checks_running(), 1U);
  down();
  EXPECT_EQ(probes.checks_running(), 0U);
  expect_nothing_left();
}

TEST_F(Shutdown, the_budget_is_kept_when_nobody_obeys) {
  for (int i = 0; i < 5; ++i) {
    config::Service& made = daemon("s" + std::to_string(i));
    if (i > 0) depends(made, stack, "s" + std::to_string(i - 1));
    script(made.name, {.stops_after = std::nullopt, .leaves_behind = 2, .children_stop_after = std::nullopt});
  }
  up();
  down(25s);
  advance(24999ms);
  EXPECT_FALSE(supervisor->is_at_rest());
  advance(1ms);
  expect_nothing_left();
  EXPECT_EQ(chronicle.notices.size(), 5U) << "each of them is named";
}

TEST_F(Shutdown, a_second_stop_kills_at_once) {
  daemon("db");
  daemon("api", {"db"});
  script("api", {.stops_after = std::nullopt});
  script("db", {.stops_after = std::nullopt});
  up();
  down();
  advance(1s);
  supervisor->kill_everything(Error::closed("killed"));
  loop.run_until_idle();
  expect_nothing_left();
}

TEST_F(Shutdown, an_immediate_kill_leaves_nothing_that_starts_again) {
  daemon("db");
  daemon("api", {"db"});
  script("api", {.stops_after = 5s});
  up();
  command(ServiceCommand::restart, "db");
  supervisor->kill_everything(Error::closed("killed"));
  loop.run_until_idle();
  advance(10s);
  expect_nothing_left();
}

TEST_F(Shutdown, a_stop_in_the_first_turn_starts_nothing) {
  daemon("db");
  supervisor = std::make_unique<daemon::Supervisor>(root, stack, processes, resources, probes, chronicle, 1);
  supervisor->begin({});
  down();
  EXPECT_EQ(processes.spawned(), 0U);
  expect_nothing_left();
}

TEST_F(Shutdown, readiness_is_gone_before_anything_stops) {
  daemon("db");
  up();
  EXPECT_TRUE(supervisor->stack_ready());
  supervisor->begin_shutdown();
  EXPECT_FALSE(supervisor->stack_ready());
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_TRUE(supervisor->started_up());
}

TEST_F(Shutdown, the_times_of_a_stop_are_observed) {
  daemon("db");
  script("db", {.stops_after = 2s});
  up();
  down();
  advance(2s);
  ASSERT_NE(supervisor->times(0), nullptr);
  EXPECT_EQ(supervisor->times(0)->stop.view().count, 1U);
  EXPECT_DOUBLE_EQ(supervisor->times(0)->stop.view().sum, 2.0);
}

}  // namespace
}  // namespace belfry::testing
