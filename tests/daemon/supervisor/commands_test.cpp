// What can be asked of a running stack, and what is answered.
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Commands : public Rig {};

TEST_F(Commands, a_kill_of_what_was_started_by_command_is_done) {
  daemon("db");
  up();
  command(ServiceCommand::stop, "db");
  command(ServiceCommand::start, "db");
  EXPECT_EQ(command(ServiceCommand::kill, "db").result->outcome, CommandOutcome::done);
}

TEST_F(Commands, a_stop_that_a_start_of_the_same_turn_takes_back_is_answered) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  up();
  ASSERT_EQ(state("api"), State::waiting);
  Asked& stop = ask_later(ServiceCommand::stop, "api");
  Asked& start = ask_later(ServiceCommand::start, "api");
  loop.run_until_idle();
  ASSERT_TRUE(stop.result);
  EXPECT_EQ(stop.result->outcome, CommandOutcome::refused);
  EXPECT_THAT(stop.result->message, HasSubstr("its start was asked for meanwhile"));
  say_ready("db");
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::done);
}

TEST_F(Commands, stop_stops_the_running_dependents_first_and_lists_them) {
  daemon("db");
  daemon("api", {"db"});
  daemon("web", {"api"});
  daemon("other");
  script("web", {.stops_after = 2s});
  up();
  const auto& stop = command(ServiceCommand::stop, "db");
  EXPECT_EQ(when("SIGTERM api#1"), -1);
  advance(2s);
  ASSERT_TRUE(stop.result);
  EXPECT_EQ(stop.result->outcome, CommandOutcome::done);
  EXPECT_THAT(stop.result->affected, ElementsAre("web", "api", "db"));
  EXPECT_LT(when("gone web#1"), when("SIGTERM api#1"));
  EXPECT_LT(when("gone api#1"), when("SIGTERM db#1"));
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_EQ(state("api"), State::blocked);
  EXPECT_THAT(cause("web"), HasSubstr("api is blocked: db was stopped: stopped by command"));
  EXPECT_EQ(state("other"), State::ready);
}

TEST_F(Commands, start_brings_the_dependents_back) {
  daemon("db");
  daemon("api", {"db"});
  up();
  command(ServiceCommand::stop, "db");
  const auto& start = command(ServiceCommand::start, "db");
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Commands, start_pulls_its_required_dependencies_in) {
  daemon("db");
  daemon("api", {"db"});
  up({});
  command(ServiceCommand::stop, "db");
  command(ServiceCommand::stop, "api");
  const auto& start = command(ServiceCommand::start, "api");
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::done) << start.result->message;
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_THAT(start.result->affected, UnorderedElementsAre("api", "db"));
}

TEST_F(Commands, start_during_the_stop_of_a_dependency_brings_both_up) {
  daemon("db");
  daemon("api", {"db"});
  script("db", {.stops_after = 2s});
  up();
  const auto& stop = command(ServiceCommand::stop, "db");
  ASSERT_EQ(state("db"), State::stopping);
  const auto& start = command(ServiceCommand::start, "api");
  advance(2s);
  ASSERT_TRUE(stop.result) << "the run that was there has ended";
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Commands, restart_brings_the_dependents_back) {
  daemon("db");
  daemon("api", {"db"});
  up();
  const auto& restart = command(ServiceCommand::restart, "db");
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::done);
  EXPECT_THAT(restart.result->affected, ElementsAre("api", "db"));
  EXPECT_EQ(service("db").record().runs, 2U);
  EXPECT_EQ(service("api").record().runs, 2U);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(service("db").counters().restarts_on_command, 1U);
}

TEST_F(Commands, restart_of_what_does_not_run_is_a_start) {
  daemon("db");
  daemon("api", {"db"});
  daemon("other");
  up({"other"});
  const auto& restart = command(ServiceCommand::restart, "api");
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_THAT(restart.result->affected, UnorderedElementsAre("api", "db"));
}

TEST_F(Commands, only_leaves_the_dependents_alone) {
  daemon("db");
  daemon("api", {"db"});
  up();
  const auto& restart = command(ServiceCommand::restart, "db", Manner::alone);
  ASSERT_TRUE(restart.result);
  EXPECT_THAT(restart.result->affected, ElementsAre("db"));
  EXPECT_EQ(service("api").record().runs, 1U);
}

TEST_F(Commands, restart_of_what_stays_blocked_says_so) {
  oneshot("short");
  daemon("api", {"short"}).depends_on[0].condition = Condition::started;
  speaking(daemon("slow"));
  depends(stack.services[1], stack, "slow");
  up();
  end("short");
  ASSERT_EQ(state("api"), State::blocked);
  const auto& restart = command(ServiceCommand::restart, "api");
  ASSERT_TRUE(restart.result) << "it must not hang";
  EXPECT_EQ(restart.result->outcome, CommandOutcome::never);
  EXPECT_THAT(restart.result->message, HasSubstr("cannot restart api: api is blocked"));
}

TEST_F(Commands, start_of_what_is_blocked_starts_its_root_again) {
  oneshot("migrate");
  daemon("api", {"migrate"});
  up();
  end("migrate", 1);
  const auto& start = command(ServiceCommand::start, "api");
  EXPECT_EQ(state("migrate"), State::starting);
  EXPECT_FALSE(start.result);
  end("migrate");
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::done);
}

TEST_F(Commands, start_of_what_stays_blocked_down_the_chain_says_so) {
  oneshot("short");
  daemon("a", {"short"}).depends_on[0].condition = Condition::started;
  speaking(daemon("slow"));
  depends(stack.services[1], stack, "slow");
  daemon("b", {"a"});
  daemon("c", {"b"});
  up();
  end("short");
  ASSERT_EQ(state("c"), State::blocked);
  end("slow", 1);
  // The oneshot is done and is not done again for others, so nothing comes of it.
  const auto& start = command(ServiceCommand::start, "c");
  ASSERT_TRUE(start.result) << "it must not hang";
  EXPECT_EQ(start.result->outcome, CommandOutcome::never);
  EXPECT_EQ(state("b"), State::blocked);
}

TEST_F(Commands, start_of_a_completed_oneshot_does_it_again_and_waits_for_it) {
  oneshot("migrate");
  up();
  end("migrate");
  const auto& start = command(ServiceCommand::start, "migrate");
  EXPECT_FALSE(start.result);
  end("migrate", 2);
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::never);
  EXPECT_THAT(start.result->message, HasSubstr("exited with code 2"));
}

TEST_F(Commands, a_dependent_that_was_stopped_is_not_brought_back_by_a_later_stop) {
  daemon("db");
  daemon("api", {"db"});
  script("api", {.stops_after = 2s});
  up();
  command(ServiceCommand::stop, "api");
  command(ServiceCommand::restart, "db");
  advance(3s);
  EXPECT_EQ(state("api"), State::inactive);
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(Commands, stop_of_one_of_a_quorum_does_not_wait_for_what_can_do_without_it) {
  daemon("a");
  daemon("b");
  gate("any", {"a", "b"}).require.count = 1;
  daemon("api", {"any"});
  up();
  const auto& stop = command(ServiceCommand::stop, "a");
  ASSERT_TRUE(stop.result);
  EXPECT_EQ(state("a"), State::inactive);
  EXPECT_EQ(state("api"), State::ready) << "b is still there";
}

TEST_F(Commands, who_can_spare_a_member_runs_on_while_it_is_restarted) {
  for (const char* name : {"api-1", "api-2", "api-3"}) speaking(daemon(name));
  gate("api", {"api-1", "api-2", "api-3"});
  config::Dependency& edge = depends(daemon("lb"), stack, "api");
  edge.require = config::Quorum{.count = 2};
  daemon("strict", {"api"});
  up();
  for (const char* name : {"api-1", "api-2", "api-3"}) say_ready(name);
  ASSERT_EQ(state("strict"), State::ready);
  const auto& restart = command(ServiceCommand::restart, "api-2");
  EXPECT_EQ(service("lb").record().runs, 1U);
  EXPECT_EQ(state("lb"), State::ready);
  EXPECT_EQ(state("strict"), State::waiting);
  EXPECT_LT(when("SIGTERM strict#1"), when("SIGTERM api-2#1"));
  say_ready("api-2");
  EXPECT_TRUE(restart.result);
  command(ServiceCommand::stop, "api-2");
  EXPECT_EQ(state("lb"), State::ready);
  command(ServiceCommand::stop, "api-3");
  EXPECT_NE(when("SIGTERM lb#1"), -1);
  EXPECT_LT(when("SIGTERM lb#1"), when("SIGTERM api-3#1"));
}

TEST_F(Commands, a_gate_that_is_stopped_itself_spares_nobody) {
  daemon("a");
  gate("any", {"a"}).require.count = 1;
  daemon("api", {"any"});
  script("api", {.stops_after = 2s});
  up();
  const auto& stop = command(ServiceCommand::stop, "any");
  EXPECT_EQ(state("api"), State::stopping);
  EXPECT_FALSE(stop.result);
  advance(2s);
  EXPECT_TRUE(stop.result);
  EXPECT_EQ(state("any"), State::inactive);
  EXPECT_EQ(state("a"), State::ready);
}

TEST_F(Commands, who_was_spared_is_not_waited_for_when_another_member_goes_meanwhile) {
  daemon("a");
  speaking(daemon("b"));
  daemon("c");
  gate("two", {"a", "b", "c"}).require.count = 2;
  daemon("lb", {"two"});
  daemon("slow", {"a"});
  script("slow", {.stops_after = 5s});
  up();
  say_ready("b");
  const auto& stop = command(ServiceCommand::stop, "a");
  EXPECT_EQ(state("a"), State::ready);
  command(ServiceCommand::restart, "b", Manner::alone);
  ASSERT_EQ(state("two"), State::waiting);
  advance(5s);
  EXPECT_EQ(state("a"), State::inactive);
  EXPECT_TRUE(stop.result);
  EXPECT_EQ(service("lb").record().runs, 1U);
}

TEST_F(Commands, a_member_that_goes_by_way_of_others_is_not_counted) {
  daemon("base");
  daemon("middle", {"base"});
  daemon("further", {"middle"});
  daemon("far", {"further"});
  daemon("free");
  gate("all", {"base", "far", "free"});
  config::Dependency& edge = depends(daemon("lb"), stack, "all");
  edge.require = config::Quorum{.count = 2};
  up();
  command(ServiceCommand::stop, "base");  // and far with it, by way of two others
  EXPECT_NE(when("SIGTERM lb#1"), -1) << "one of three is left";
  EXPECT_LT(when("SIGTERM lb#1"), when("SIGTERM base#1"));
}

TEST_F(Commands, who_can_spare_a_member_of_a_gate_behind_its_gate_runs_on) {
  for (const char* name : {"a", "b", "c"}) daemon(name);
  gate("one", {"a", "b"}).require.count = 1;
  gate("both", {"one", "c"});
  daemon("api", {"both"});
  up();
  command(ServiceCommand::restart, "a");
  EXPECT_EQ(service("a").record().runs, 2U);
  EXPECT_EQ(service("api").record().runs, 1U);
  EXPECT_EQ(state("api"), State::ready);
  command(ServiceCommand::restart, "c");
  EXPECT_EQ(service("api").record().runs, 2U);
}

TEST_F(Commands, a_gate_that_does_not_hold_is_no_member_that_stays) {
  daemon("a");
  daemon("b");
  gate("one", {"a", "b"}).require.count = 1;
  daemon("slow", {"one"});
  script("slow", {.stops_after = 5s});
  daemon("c", {"a"});
  gate("outer", {"one", "c"}).require.count = 1;
  daemon("lb", {"outer"});
  up();
  command(ServiceCommand::stop, "one");
  ASSERT_EQ(state("one"), State::ready) << "it waits for slow, and holds no more";
  command(ServiceCommand::stop, "a");
  EXPECT_NE(when("SIGTERM lb#1"), -1) << "b is there, one is not";
  advance(5s);
  EXPECT_LT(when("SIGTERM lb#1"), when("SIGTERM a#1"));
}

TEST_F(Commands, who_is_spared_has_lost_nothing) {
  for (const char* name : {"r1", "r2", "r3"}) daemon(name);
  gate("g1", {"r1", "r2", "r3"});
  gate("g2", {"r1", "r2", "r3"});
  config::Service& lb = daemon("lb");
  for (const char* on : {"g1", "g2"}) {
    config::Dependency& edge = depends(lb, stack, on);
    edge.require = config::Quorum{.count = 2};
    edge.on_loss = OnLoss::restart;
  }
  up();
  command(ServiceCommand::restart, "r2");
  EXPECT_EQ(service("r2").record().runs, 2U);
  EXPECT_EQ(service("lb").record().runs, 1U);
}

TEST_F(Commands, who_waited_for_the_end_of_something_does_not_stand_on_it) {
  daemon("a").restart->policy = config::RestartPolicy::no;
  daemon("x", {"a"}).depends_on[0].condition = Condition::stopped;
  up();
  end("a");
  ASSERT_EQ(state("x"), State::ready);
  EXPECT_TRUE(command(ServiceCommand::restart, "a").result);
  EXPECT_TRUE(command(ServiceCommand::stop, "a").result);
  EXPECT_EQ(service("x").record().runs, 1U);
  EXPECT_EQ(state("x"), State::ready);
}

TEST_F(Commands, nobody_stands_on_what_does_not_run) {
  daemon("db").restart->policy = config::RestartPolicy::no;
  daemon("api", {"db"});
  up();
  end("db", 1);
  ASSERT_EQ(state("db"), State::failed);
  EXPECT_TRUE(command(ServiceCommand::stop, "db").result);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_EQ(state("api"), State::ready);
  command(ServiceCommand::start, "db");
  command(ServiceCommand::stop, "db");
  EXPECT_LT(when("SIGTERM api#1"), when("SIGTERM db#2")) << "it stands on it again";
}

TEST_F(Commands, each_gate_is_looked_through_once) {
  daemon("base");
  std::string below[3] = {"base", "base", "base"};
  for (int layer = 0; layer < 40; ++layer) {
    std::string here[3];
    for (int i = 0; i < 3; ++i) {
      here[i] = "g" + std::to_string(layer) + "-" + std::to_string(i);
      if (layer == 0)
        gate(here[i], {"base"});
      else
        gate(here[i], {below[0].c_str(), below[1].c_str(), below[2].c_str()});
    }
    std::ranges::copy(here, below);
  }
  daemon("top", {below[0].c_str()});
  for (int layer = 0; layer < 40; ++layer)
    depends(daemon("s" + std::to_string(layer)), stack, "g" + std::to_string(layer) + "-0").require =
        config::Quorum{.count = 1};
  up();
  ASSERT_EQ(state("top"), State::ready);
  EXPECT_TRUE(command(ServiceCommand::stop, "base").result);  // 3^40 ways up would take for ever
  EXPECT_LT(when("SIGTERM top#1"), when("SIGTERM base#1"));
}

TEST_F(Commands, whoever_asks_for_a_start_gives_the_restarts_back) {
  config::Service& x = daemon("x");
  x.restart->limit = 2;
  x.restart->delay = 50ms;
  x.restart->factor = 1;
  script("x", {.exits_after = 0ms, .exits_with = {.signaled = false, .value = 1}});
  up();
  advance(1s);
  ASSERT_EQ(state("x"), State::failed);
  EXPECT_EQ(service("x").record().runs, 3U);
  command(ServiceCommand::start, "x");
  advance(1s);
  EXPECT_EQ(service("x").record().runs, 6U);
  command(ServiceCommand::restart, "x");
  advance(1s);
  EXPECT_EQ(service("x").record().runs, 9U);
}

TEST_F(Commands, a_gate_that_is_down_is_transparent_to_the_order) {
  daemon("a");
  daemon("b");
  gate("both", {"a", "b"});
  daemon("api", {"both"});
  script("api", {.stops_after = 1s});
  up();
  end("b", 1);
  ASSERT_EQ(state("both"), State::waiting);
  ASSERT_EQ(state("api"), State::ready);
  command(ServiceCommand::stop, "a");
  EXPECT_EQ(when("SIGTERM a#1"), -1);
  advance(1s);
  EXPECT_EQ(state("a"), State::inactive);
  EXPECT_LT(when("gone api#1"), when("SIGTERM a#1"));
}

TEST_F(Commands, who_has_started_since_a_stop_was_announced_does_not_hold_it_up) {
  daemon("a");
  speaking(daemon("b"));
  gate("any", {"a", "b"}).require.count = 1;
  daemon("api", {"any"});
  speaking(daemon("later"));
  gate("late", {"a", "b", "later"}).require.count = 2;
  script("api", {.stops_after = 2s});
  up();
  auto& stop = command(ServiceCommand::stop, "a");
  say_ready("b");
  say_ready("later");
  ASSERT_EQ(state("late"), State::ready) << "it can do without a";
  advance(2s);
  ASSERT_TRUE(stop.result);
  EXPECT_EQ(state("a"), State::inactive);
  EXPECT_EQ(state("late"), State::ready);
}

TEST_F(Commands, kill_ends_the_tree_and_the_policy_decides) {
  daemon("db");
  up();
  const auto& kill = command(ServiceCommand::kill, "db");
  ASSERT_TRUE(kill.result);
  EXPECT_EQ(kill.result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("db"), State::backoff);
  EXPECT_THAT(cause("db"), HasSubstr("killed by SIGKILL"));
  EXPECT_EQ(command(ServiceCommand::kill, "db").result->outcome, CommandOutcome::refused);
}

TEST_F(Commands, kill_returns_when_all_of_it_is_gone) {
  config::Service& db = daemon("db");
  db.extras = std::make_unique<config::ServiceExtras>();
  db.extras->post_stop = {"./clean"};
  db.restart->policy = config::RestartPolicy::no;
  up();
  processes.script = [](const RunId&) { return ProcessScript{.exits_after = 1s}; };
  const auto& kill = command(ServiceCommand::kill, "db");
  EXPECT_FALSE(kill.result) << "it still cleans up";
  advance(1s);
  ASSERT_TRUE(kill.result);
  EXPECT_EQ(kill.result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("db"), State::failed);
}

TEST_F(Commands, kill_ends_a_hook_that_hangs) {
  config::Service& db = daemon("db");
  db.extras = std::make_unique<config::ServiceExtras>();
  db.extras->pre_start = {"./prepare"};
  db.restart->policy = config::RestartPolicy::no;
  up();
  ASSERT_EQ(state("db"), State::starting);
  const auto& kill = command(ServiceCommand::kill, "db");
  ASSERT_TRUE(kill.result);
  EXPECT_EQ(kill.result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("db"), State::failed);
}

TEST_F(Commands, stop_of_a_oneshot_that_is_done_leaves_alone_who_needed_it_done) {
  oneshot("migrate");
  daemon("api", {"migrate"}).depends_on[0].condition = Condition::completed;
  up();
  end("migrate");
  ASSERT_EQ(state("api"), State::ready);
  const auto& stop = command(ServiceCommand::stop, "migrate");
  ASSERT_TRUE(stop.result);
  EXPECT_THAT(stop.result->affected, ElementsAre("migrate"));
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(service("api").record().runs, 1U);
}

TEST_F(Commands, a_oneshot_that_runs_once_more_can_be_stopped_below_who_needed_it_done) {
  oneshot("migrate");
  daemon("api", {"migrate"}).depends_on[0].condition = Condition::completed;
  up();
  end("migrate");
  command(ServiceCommand::start, "migrate");
  ASSERT_EQ(state("migrate"), State::starting);
  const auto& stop = command(ServiceCommand::stop, "migrate");
  ASSERT_TRUE(stop.result) << "nobody else has to go first";
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(service("api").record().runs, 1U);
}

TEST_F(Commands, start_only_pulls_nothing_in) {
  daemon("db");
  daemon("api", {"db"});
  up();
  command(ServiceCommand::stop, "db");
  const auto& start = command(ServiceCommand::start, "api", Manner::alone);
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::never) << start.result->message;
  EXPECT_EQ(state("db"), State::inactive);
}

TEST_F(Commands, start_only_of_what_needs_somebody_who_was_never_started_says_so) {
  daemon("db");
  daemon("api", {"db"});
  daemon("other");
  up({"other"});
  const auto& start = command(ServiceCommand::start, "api", Manner::alone);
  ASSERT_TRUE(start.result) << "it must not hang";
  EXPECT_EQ(start.result->outcome, CommandOutcome::never);
  EXPECT_THAT(start.result->message, HasSubstr("db was not started"));
  command(ServiceCommand::start, "db");
  EXPECT_EQ(state("api"), State::ready) << "it heals";
}

TEST_F(Commands, start_of_what_is_ending_by_itself_starts_it_again) {
  config::Service& once = daemon("once");
  once.restart->policy = config::RestartPolicy::no;
  once.extras = std::make_unique<config::ServiceExtras>();
  once.extras->post_stop = {"./clean"};
  up();
  processes.script = [](const RunId& id) {
    return id.run == 1 ? ProcessScript{.exits_after = 1s} : ProcessScript{};
  };
  end("once");
  ASSERT_EQ(state("once"), State::stopping);
  const auto& start = command(ServiceCommand::start, "once");
  advance(1s);
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::done) << start.result->message;
  EXPECT_EQ(service("once").record().runs, 2U);
}

TEST_F(Commands, the_name_of_replicas_means_all_of_them) {
  daemon("api-1");
  daemon("api-2");
  gate("api", {"api-1", "api-2"}).replicated = true;
  daemon("web", {"api"});
  up();
  const auto& restart = command(ServiceCommand::restart, "api");
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::done) << restart.result->message;
  for (const char* name : {"api-1", "api-2", "web"}) EXPECT_EQ(service(name).record().runs, 2U) << name;
  EXPECT_LT(when("gone web#1"), when("SIGTERM api-1#1"));

  const auto& kill = command(ServiceCommand::kill, "api");
  ASSERT_TRUE(kill.result);
  EXPECT_THAT(kill.result->affected, UnorderedElementsAre("api-1", "api-2"));
  advance(1s);

  const auto& stop = command(ServiceCommand::stop, "api");
  ASSERT_TRUE(stop.result);
  EXPECT_EQ(stop.result->outcome, CommandOutcome::done);
  EXPECT_EQ(processes.alive(), 0U);
  EXPECT_EQ(state("api"), State::inactive);
  EXPECT_EQ(state("web"), State::blocked);

  const auto& start = command(ServiceCommand::start, "api");
  ASSERT_TRUE(start.result);
  EXPECT_EQ(start.result->outcome, CommandOutcome::done) << start.result->message;
  EXPECT_EQ(state("web"), State::ready);
}

TEST_F(Commands, restart_returns_when_who_was_ready_above_is_so_again) {
  daemon("db");
  speaking(daemon("api", {"db"}));
  up();
  say_ready("api");
  const auto& restart = command(ServiceCommand::restart, "db");
  ASSERT_EQ(state("api"), State::starting);
  EXPECT_FALSE(restart.result);
  say_ready("api");
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::done);
}

TEST_F(Commands, what_starts_again_no_longer_says_why_it_was_stopped) {
  daemon("db");
  speaking(daemon("api", {"db"}));
  up();
  say_ready("api");
  command(ServiceCommand::stop, "db");
  command(ServiceCommand::stop, "api");
  command(ServiceCommand::start, "api");
  ASSERT_EQ(state("api"), State::starting);
  EXPECT_EQ(last_error(service("api")), "it has not said READY=1");
}

TEST_F(Commands, an_external_cannot_be_controlled) {
  external("db");
  up();
  EXPECT_EQ(command(ServiceCommand::stop, "db").result->outcome, CommandOutcome::refused);
}

TEST_F(Commands, a_stop_ends_the_back_off_at_once) {
  daemon("db");
  up();
  end("db", 1);
  ASSERT_EQ(state("db"), State::backoff);
  EXPECT_TRUE(command(ServiceCommand::stop, "db").result);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(Commands, nothing_can_be_asked_during_the_shutdown) {
  daemon("db");
  up();
  down();
  EXPECT_EQ(command(ServiceCommand::start, "db").result->outcome, CommandOutcome::shutting_down);
}

TEST_F(Commands, a_caller_who_leaves_leaves_the_command_alone) {
  daemon("db");
  script("db", {.stops_after = 2s});
  up();
  auto& stop = command(ServiceCommand::stop, "db");
  stop.context.cancel();
  loop.run_until_idle();
  ASSERT_TRUE(stop.result);
  EXPECT_EQ(stop.result->outcome, CommandOutcome::not_in_time);
  advance(2s);
  EXPECT_EQ(state("db"), State::inactive);
}

TEST_F(Commands, wait_for_answers_when_it_holds_now_later_or_never) {
  speaking(daemon("db"));
  oneshot("job");
  up();
  auto& ready = wait_for("db", Condition::ready);
  auto& started = wait_for("db", Condition::started);
  EXPECT_TRUE(started.waited && *started.waited);
  EXPECT_FALSE(ready.waited);
  say_ready("db");
  EXPECT_TRUE(ready.waited && *ready.waited);
  auto& done = wait_for("job", Condition::completed);
  end("job", 1);
  ASSERT_TRUE(done.waited);
  ASSERT_FALSE(*done.waited);
  EXPECT_EQ(done.waited->error().kind(), Error::Kind::failed);
  EXPECT_THAT(done.waited->error().text(), HasSubstr("job is failed"));
}

TEST_F(Commands, wait_for_outlasts_the_back_off_and_ends_with_the_shutdown) {
  speaking(daemon("db"));
  up();
  auto& first = wait_for("db", Condition::ready);
  end("db", 1);
  EXPECT_FALSE(first.waited);
  advance(100ms);
  say_ready("db");
  EXPECT_TRUE(first.waited && *first.waited);
  auto& stopped = wait_for("db", Condition::completed);
  down();
  ASSERT_TRUE(stopped.waited);
  EXPECT_EQ(stopped.waited->error().kind(), Error::Kind::closed);
}

TEST_F(Commands, a_negated_wait_answers_when_it_holds_no_more_and_at_once_for_what_nobody_started) {
  speaking(daemon("db"));
  daemon("other");
  up({"db"});
  const daemon::Level unready{.condition = Condition::ready, .negated = true};
  auto& not_yet = wait_for("db", unready);
  EXPECT_TRUE(not_yet.waited && *not_yet.waited);
  auto& never_started = wait_for("other", unready);
  EXPECT_TRUE(never_started.waited && *never_started.waited);
  say_ready("db");
  auto& no_more = wait_for("db", unready);
  EXPECT_FALSE(no_more.waited);
  end("db", 1);
  EXPECT_TRUE(no_more.waited && *no_more.waited);
}

TEST_F(Commands, wait_for_answers_at_once_for_what_nobody_started) {
  daemon("db");
  daemon("other");
  up({"db"});
  auto& never = wait_for("other", Condition::ready);
  ASSERT_TRUE(never.waited);
  EXPECT_EQ(never.waited->error().kind(), Error::Kind::failed);
}

}  // namespace
}  // namespace belfry::testing
