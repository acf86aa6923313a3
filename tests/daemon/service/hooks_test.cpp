// pre_start, post_start, pre_stop, post_stop.
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

class Hooks : public Rig {
 public:
  config::Service& with_hooks(std::string name) {
    config::Service& made = daemon(std::move(name));
    made.extras = std::make_unique<config::ServiceExtras>();
    return made;
  }
  // What the hook of this name does; the service itself runs until it is asked to stop.
  void hook(std::string command, ProcessScript what) {
    hooks_.emplace_back(std::move(command), std::move(what));
    processes.script = [this](const RunId& id) {
      for (const auto& [name, plan] : hooks_) {
        if (name == id.command) return plan;
      }
      return ProcessScript{};
    };
  }
  static ProcessScript ends(Duration after, int code = 0) {
    return {.exits_after = after, .exits_with = {.signaled = false, .value = code}};
  }

 private:
  std::vector<std::pair<std::string, ProcessScript>> hooks_;
};

TEST_F(Hooks, each_runs_in_its_place) {
  config::ServiceExtras& extras = *with_hooks("db").extras;
  extras.pre_start = {"./prepare"};
  extras.post_start = {"./announce"};
  extras.pre_stop = {"./drain"};
  extras.post_stop = {"./clean"};
  for (const char* name : {"./prepare", "./announce", "./drain", "./clean"}) hook(name, ends(10ms));
  up();
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_FALSE(service("db").level(Condition::started));
  advance(1s);
  EXPECT_EQ(state("db"), State::ready);
  down();
  advance(1s);
  EXPECT_EQ(state("db"), State::inactive);
  std::vector<std::string> spawned;
  for (const auto& line : processes.log()) {
    if (line.starts_with("spawn") || line == "SIGTERM db#1") spawned.push_back(line);
  }
  EXPECT_THAT(spawned, ::testing::ElementsAre("spawn db#1 ./prepare", "spawn db#1", "spawn db#1 ./announce",
                                              "spawn db#1 ./drain", "SIGTERM db#1", "spawn db#1 ./clean"));
}

TEST_F(Hooks, the_stopped_bell_waits_for_post_stop) {
  with_hooks("db").extras->post_stop = {"./clean"};
  hook("./clean", ends(3s));
  up();
  down();
  EXPECT_EQ(state("db"), State::stopping);
  EXPECT_FALSE(service("db").incarnation()->stopped.ended());
  advance(3s);
  EXPECT_EQ(state("db"), State::inactive);
}

TEST_F(Hooks, a_failed_pre_start_is_a_failed_start) {
  config::Service& db = with_hooks("db");
  db.extras->pre_start = {"./prepare"};
  db.restart->policy = config::RestartPolicy::no;
  hook("./prepare", ends(10ms, 3));
  up();
  advance(1s);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_EQ(cause("db"), "pre_start of db exited with code 3");
  EXPECT_EQ(when("spawn db#1"), -1);
}

TEST_F(Hooks, a_failed_pre_start_is_tried_again_as_the_policy_says) {
  with_hooks("db").extras->pre_start = {"./prepare"};
  int tries = 0;
  processes.script = [&tries](const RunId& id) {
    if (id.command != "./prepare") return ProcessScript{};
    return ends(10ms, ++tries < 3 ? 1 : 0);
  };
  up();
  advance(10s);
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(Hooks, a_failed_post_start_takes_the_service_down) {
  config::Service& db = with_hooks("db");
  db.extras->post_start = {"./announce"};
  db.restart->policy = config::RestartPolicy::no;
  hook("./announce", ends(10ms, 1));
  up();
  advance(1s);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_FALSE(processes.alive("db"));
}

TEST_F(Hooks, dependents_start_after_post_start) {
  with_hooks("db").extras->post_start = {"./announce"};
  daemon("api", {"db"});
  hook("./announce", ends(1s));
  up();
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_EQ(state("api"), State::waiting);
  advance(1s);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Hooks, a_service_that_dies_under_post_start_takes_the_hook_with_it) {
  config::Service& db = with_hooks("db");
  db.extras->post_start = {"./announce"};
  db.restart->policy = config::RestartPolicy::no;
  up();
  processes.end("db", {.signaled = false, .value = 1});
  advance(1s);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_EQ(processes.alive(), 0U);
}

// Who completed once, runs again and is to stop under its hook has lost its level at that moment.
TEST_F(Hooks, a_loss_under_a_hook_is_told_to_those_above_at_once) {
  speaking(daemon("db"));
  config::Service& job = oneshot("job", {"db"});
  job.depends_on[0].on_loss = OnLoss::stop;
  job.extras = std::make_unique<config::ServiceExtras>();
  job.extras->post_start = {"./announce"};
  gate("done", {"job"});
  hook("./job", ends(10ms));
  int runs = 0;
  processes.script = [&runs](const RunId& id) {
    if (id.command == "./job") return ends(10ms);
    if (id.command != "./announce") return ProcessScript{};
    return ++runs == 1 ? ends(10ms) : ProcessScript{.exits_after = 1h, .stops_after = 1s};
  };
  up();
  say_ready("db");
  advance(1s);
  ASSERT_EQ(state("done"), State::ready);
  service("job").request_start();
  advance(100ms);
  ASSERT_EQ(state("job"), State::starting);
  ASSERT_EQ(state("done"), State::ready);
  service("db").said({.reloading = true});  // not a loss yet; the end of it is
  processes.end("db", {.signaled = false, .value = 1});
  loop.run_until_idle();
  ASSERT_EQ(state("job"), State::starting);  // its hook has a second to end
  EXPECT_NE(state("done"), State::ready);
}

TEST_F(Hooks, a_stop_ends_a_pre_start_that_goes_on_and_starts_nothing) {
  with_hooks("db").extras->pre_start = {"./prepare"};
  up();
  ASSERT_GE(when("spawn db#1 ./prepare"), 0);
  down();
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_EQ(when("spawn db#1"), -1);
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(Hooks, a_pre_start_that_ignores_sigterm_is_killed_after_the_stop_timeout) {
  config::Service& db = with_hooks("db");
  db.extras->pre_start = {"./prepare"};
  db.stop.timeout = 2s;
  hook("./prepare", {.stops_after = std::nullopt});
  up();
  down();
  advance(1s);
  EXPECT_EQ(state("db"), State::starting);
  advance(1s);
  EXPECT_EQ(state("db"), State::inactive);
}

TEST_F(Hooks, a_pre_stop_counts_against_the_stop_timeout) {
  config::Service& db = with_hooks("db");
  db.extras->pre_stop = {"./drain"};
  db.stop.timeout = 2s;
  hook("./drain", {.stops_after = std::nullopt});
  up();
  command(ServiceCommand::stop, "db");
  advance(2s);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(Hooks, a_pre_stop_that_hangs_leaves_time_for_the_main_process) {
  config::Service& db = with_hooks("db");
  db.extras->pre_stop = {"./drain"};
  db.stop.timeout = 5s;
  hook("./drain", {.stops_after = std::nullopt});
  hook("./db", {.stops_after = 500ms});
  up();
  command(ServiceCommand::stop, "db");
  advance(4s);
  EXPECT_NE(when("SIGTERM db#1"), -1);
  advance(500ms);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_FALSE(service("db").record().run.killed);
}

TEST_F(Hooks, a_pre_stop_is_not_run_for_a_service_that_has_ended_by_itself) {
  config::Service& db = with_hooks("db");
  db.extras->pre_stop = {"./drain"};
  db.restart->policy = config::RestartPolicy::no;
  up();
  end("db", 1);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_EQ(when("spawn db#1 ./drain"), -1);
}

TEST_F(Hooks, cleaning_up_has_time_of_its_own_after_a_kill) {
  config::Service& db = with_hooks("db");
  db.extras->post_stop = {"./clean"};
  db.stop.timeout = 2s;
  hook("./db", {.stops_after = std::nullopt});
  hook("./clean", ends(1s));
  up();
  down();
  advance(2s);
  EXPECT_EQ(state("db"), State::stopping);
  ASSERT_GE(when("SIGKILL db#1"), 0);
  advance(1s);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_GE(when("exit db#1 ./clean"), 0);
}

TEST_F(Hooks, cleaning_up_has_its_share_of_a_short_budget) {
  config::Service& db = with_hooks("db");
  db.extras->post_stop = {"./clean"};
  hook("./db", {.stops_after = std::nullopt});
  hook("./clean", ends(1500ms));
  up();
  down(4s);
  advance(2s);
  ASSERT_GE(when("SIGKILL db#1"), 0);
  advance(1500ms);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_GE(when("exit db#1 ./clean"), 0);
}

TEST_F(Hooks, a_shutdown_during_a_pre_stop_leaves_time_for_the_main_process) {
  config::Service& db = with_hooks("db");
  db.extras->pre_stop = {"./drain"};
  db.stop.timeout = 30s;
  hook("./drain", {.stops_after = std::nullopt});
  hook("./db", {.stops_after = 300ms});
  up();
  command(ServiceCommand::stop, "db");
  advance(300ms);
  down(2s);
  advance(2s);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_FALSE(service("db").record().run.killed);
}

TEST_F(Hooks, what_a_pre_start_left_behind_goes_with_a_start_that_is_refused) {
  config::Service& db = with_hooks("db");
  db.extras->pre_start = {"./prepare"};
  db.extras->post_stop = {"./clean"};
  ProcessScript prepare = ends(10ms);
  prepare.leaves_behind = 1;
  prepare.children_stop_after = 500ms;
  hook("./prepare", prepare);
  hook("./clean", ends(10ms));
  hook("./db",
       {.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}}});
  up();
  advance(100ms);
  EXPECT_EQ(state("db"), State::stopping);
  EXPECT_FALSE(service("db").incarnation()->stopped.ended());
  advance(1s);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), ::testing::HasSubstr("No such file or directory"));
  EXPECT_GE(when("exit db#1 ./clean"), 0);
  EXPECT_EQ(service("db").record().runs, 0U);
}

TEST_F(Hooks, the_budget_of_a_shutdown_holds_with_hooks_too) {
  config::Service& db = with_hooks("db");
  db.extras->post_stop = {"./clean"};
  hook("./db", {.stops_after = std::nullopt});
  hook("./clean", {.stops_after = std::nullopt});
  up();
  down(4s);
  advance(4s);
  EXPECT_EQ(state("db"), State::inactive);
}

TEST_F(Hooks, a_second_signal_skips_what_is_left_to_do) {
  config::Service& db = with_hooks("db");
  db.extras->post_stop = {"./clean"};
  hook("./db", {.stops_after = std::nullopt});
  up();
  down();
  supervisor->kill_everything(Error::closed("killed"));
  loop.run_until_idle();
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_EQ(when("spawn db#1 ./clean"), -1);
}

// What was prepared for the start that failed was given back with the stop: it is of no use any more.
TEST_F(Hooks, a_start_after_a_failed_pre_start_and_a_stop_is_prepared_anew) {
  config::Service& db = with_hooks("db");
  db.extras->pre_start = {"./prepare"};
  db.restart->policy = config::RestartPolicy::no;
  hook("./prepare", ends(10ms, 1));
  up();
  advance(1s);
  ASSERT_EQ(state("db"), State::failed);
  EXPECT_TRUE(resources.held().empty());
  supervisor->at(0).request_start();
  loop.run_until_idle();
  ASSERT_EQ(state("db"), State::starting);
  EXPECT_TRUE(resources.held().contains("db"));
}

TEST_F(Hooks, a_hook_that_does_not_exist_names_itself) {
  config::Service& db = with_hooks("db");
  db.extras->pre_start = {"./prepare"};
  db.restart->policy = config::RestartPolicy::no;
  hook("./prepare",
       {.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}}});
  up();
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), ::testing::StartsWith("cannot run pre_start of db: "));
}

}  // namespace
}  // namespace belfry::testing
