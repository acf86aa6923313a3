// One service's life: start, ready, restart, and the proof that it is gone.
#include "tests/daemon/rig.hpp"

#include <csignal>

namespace belfry::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ServiceLife : public Rig {};

TEST_F(ServiceLife, a_daemon_without_a_probe_is_ready_when_started) {
  daemon("db");
  up();
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_THAT(chronicle.entries, ElementsAre("db waiting", "db starting", "db ready"));
  EXPECT_TRUE(supervisor->stack_ready());
  EXPECT_TRUE(supervisor->up().rung());
}

TEST_F(ServiceLife, a_dependent_starts_in_the_turn_in_which_its_dependency_says_ready) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  up();
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_THAT(waiting_for(service("api")), ElementsAre("db ready"));
  say_ready("db");
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(ServiceLife, a_probe_is_asked_until_it_says_yes) {
  daemon("db").ready.probes.push_back(a_probe());
  bool answers = false;
  probes.answer = [&](const std::string&, const config::Probe&) { return ProbeAnswer{.yes = answers}; };
  up();
  advance(100ms);
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_THAT(last_error(service("db")), HasSubstr("Connection refused"));
  answers = true;
  advance(10ms);
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(last_error(service("db")), "");
  EXPECT_TRUE(loop.timers().empty()) << "a service that is ready costs no wake-ups";
}

TEST_F(ServiceLife, a_crash_before_ready_is_never_ready_and_is_tried_again_after_the_back_off) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  script("db", {.exits_after = 10ms, .exits_with = {.value = 1}});
  up();
  const auto first = service("db").incarnation();
  advance(10ms);
  EXPECT_EQ(state("db"), State::backoff);
  EXPECT_TRUE(first->ready.ended());
  EXPECT_FALSE(first->ready.rung());
  EXPECT_THAT(cause("db"), HasSubstr("exited with code 1 before it was ready"));
  EXPECT_EQ(state("api"), State::waiting) << "back-off blocks nobody";
  advance(99ms);
  EXPECT_EQ(state("db"), State::backoff);
  advance(1ms);
  EXPECT_EQ(state("db"), State::starting);
  advance(10ms + 199ms);
  EXPECT_EQ(state("db"), State::backoff) << "the delay doubles";
  forget_scripts();
  advance(1ms);
  say_ready("db");
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(service("db").counters().restarts(), 2U);
}

TEST_F(ServiceLife, an_exit_with_0_before_ready_is_a_failure_too) {
  speaking(daemon("db")).restart->policy = config::RestartPolicy::no;
  up();
  end("db", 0);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), HasSubstr("before it was ready"));
}

TEST_F(ServiceLife, ready_said_with_the_last_breath_counts_before_the_exit) {
  speaking(daemon("job")).restart->policy = config::RestartPolicy::on_failure;
  resources.last_words = [](const config::Service&, daemon::ServiceEvents& events) {
    events.said({.ready = true});
  };
  script("job", {.exits_after = 5ms});
  up();
  advance(5ms);
  // The message came first, so the bell rang first: an exit with 0 after it is the end of its work.
  EXPECT_TRUE(chronicle.entries.end() != std::ranges::find(chronicle.entries, "job ready"));
  EXPECT_EQ(state("job"), State::completed);
}

TEST_F(ServiceLife, a_command_that_does_not_exist_fails_for_good_with_stage_and_errno) {
  daemon("db");
  daemon("cache", {"db"});
  daemon("api", {"cache"});
  script("db",
         {.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}}});
  up();
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), HasSubstr("exec: No such file or directory: ./db"));
  EXPECT_EQ(state("cache"), State::blocked);
  EXPECT_THAT(cause("cache"), HasSubstr("db has failed: cannot start db"));
  EXPECT_EQ(state("api"), State::blocked);
  EXPECT_THAT(cause("api"), HasSubstr("cache is blocked: db has failed: cannot start db"));
  EXPECT_TRUE(service("db").incarnation()->ready.ended());
  EXPECT_TRUE(service("db").incarnation()->stopped.ended());
  EXPECT_TRUE(service("api").incarnation()->ready.ended());
}

TEST_F(ServiceLife, a_fork_that_fails_counts_and_is_tried_again) {
  daemon("db").restart->limit = 2;
  script("db",
         {.refuse = system::SpawnError{.stage = system::SpawnStage::clone, .errnum = EAGAIN, .detail = {}}});
  up();
  EXPECT_EQ(state("db"), State::backoff);
  advance(1s);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), HasSubstr("gave up after 2 restarts"));
}

TEST_F(ServiceLife, without_descriptors_a_start_is_tried_again) {
  daemon("db");
  bool none_left = true;
  resources.refuse = [&](const config::Service&, std::uint64_t) -> Result<void> {
    if (none_left) return std::unexpected(Error::from_errno(EMFILE, "cannot make a log pipe"));
    return {};
  };
  up();
  EXPECT_EQ(state("db"), State::backoff);
  EXPECT_EQ(cause("db"),
            "cannot start db: cannot make a log pipe: Too many open files (raise belfry's limit of "
            "open files: LimitNOFILE=, ulimit -n)");
  none_left = false;
  advance(1s);
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(ServiceLife, what_is_blocked_heals_by_itself_when_its_root_comes_back) {
  daemon("db");
  daemon("api", {"db"});
  script("db",
         {.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}}});
  up();
  ASSERT_EQ(state("api"), State::blocked);
  forget_scripts();
  const auto& started = command(ServiceCommand::start, "db");
  ASSERT_TRUE(started.result);
  EXPECT_EQ(started.result->outcome, CommandOutcome::done);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(ServiceLife, a_start_that_takes_longer_than_its_timeout_is_stopped_and_keeps_the_probes_error) {
  config::Service& db = daemon("db");
  db.ready.probes.push_back(a_probe());
  db.ready.probes[0].timeout = 3s;
  db.restart->policy = config::RestartPolicy::no;
  probes.answer = [](const std::string&, const config::Probe&) { return ProbeAnswer{.yes = false}; };
  up();
  advance(2999ms);
  EXPECT_EQ(state("db"), State::starting);
  advance(1ms);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), HasSubstr("not ready in time: cannot connect"));
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(ServiceLife, who_may_not_be_given_what_it_needs_fails_at_once_and_is_not_tried_again) {
  daemon("db");
  resources.refuse = [](const config::Service&, std::uint64_t) -> Result<void> {
    return std::unexpected(Error::from_errno(EPERM, "cannot give away the notify socket"));
  };
  up();
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(ServiceLife, who_is_killed_is_told_by_which_limit_and_why_it_had_to_stop) {
  config::Service& db = speaking(daemon("db"));
  db.ready.probes.front().timeout = 3s;
  db.stop.timeout = 2s;
  script("db", {.stops_after = std::nullopt});
  up();
  advance(5s);
  ASSERT_EQ(chronicle.notices.size(), 1U);
  EXPECT_THAT(chronicle.notices[0], HasSubstr("(stop.timeout 2s; it had to stop: db was not ready in time"));
  EXPECT_THAT(chronicle.notices[0], HasSubstr("(ready.timeout 3s)"));
}

TEST_F(ServiceLife, who_is_killed_for_the_budget_of_the_stack_is_told_so) {
  daemon("db").stop.timeout = 1h;
  script("db", {.stops_after = std::nullopt});
  up();
  down(5s);
  advance(5s);
  ASSERT_EQ(chronicle.notices.size(), 1U);
  EXPECT_THAT(chronicle.notices[0],
              HasSubstr("its share of shutdown.timeout; it had to stop: the stack goes down"));
}

TEST_F(ServiceLife, who_is_killed_by_command_is_told_so) {
  daemon("db");
  up();
  command(ServiceCommand::kill, "db");
  EXPECT_THAT(cause("db"), HasSubstr("killed by SIGKILL, as `belfry kill` asked"));
}

TEST_F(ServiceLife, a_stop_and_a_later_start_are_no_restart) {
  daemon("db");
  up();
  command(ServiceCommand::stop, "db");
  command(ServiceCommand::start, "db");
  ASSERT_EQ(state("db"), State::ready);
  EXPECT_EQ(service("db").counters().restarts(), 0U);
  command(ServiceCommand::restart, "db");
  EXPECT_EQ(service("db").counters().restarts(), 1U);
}

TEST_F(ServiceLife, a_probe_that_hangs_is_cut_off_by_its_own_timeout) {
  daemon("db").ready.probes.push_back(a_probe());
  probes.answer = [](const std::string&, const config::Probe&) {
    return ProbeAnswer{.yes = true, .takes = 1h};
  };
  up();
  advance(5s);
  EXPECT_GE(probes.checks(), 2U);
  EXPECT_EQ(state("db"), State::starting);
}

TEST_F(ServiceLife, who_ignores_the_stop_signal_is_killed_at_its_own_timeout_and_named) {
  daemon("db").stop.timeout = 2s;
  script("db", {.stops_after = std::nullopt});
  up();
  const auto& stop = command(ServiceCommand::stop, "db");
  advance(1999ms);
  EXPECT_EQ(state("db"), State::stopping);
  EXPECT_FALSE(stop.result);
  advance(1ms);
  EXPECT_EQ(state("db"), State::inactive);
  ASSERT_TRUE(stop.result);
  EXPECT_EQ(stop.result->outcome, CommandOutcome::done);
  ASSERT_EQ(chronicle.notices.size(), 1U);
  EXPECT_THAT(chronicle.notices[0], HasSubstr("did not stop within 2000 ms: killed"));
}

TEST_F(ServiceLife, the_services_own_stop_signal_is_used) {
  daemon("db").stop.signal = SIGINT;
  up();
  command(ServiceCommand::stop, "db");
  EXPECT_GE(when("SIGINT db#1"), 0);
  EXPECT_EQ(when("SIGTERM db#1"), -1);
}

TEST_F(ServiceLife, stopped_rings_only_when_its_children_are_gone_too) {
  daemon("db").stop.timeout = 2s;
  script("db", {.leaves_behind = 3, .children_stop_after = std::nullopt});
  up();
  const auto run = service("db").incarnation();
  command(ServiceCommand::stop, "db");
  advance(1s);
  EXPECT_FALSE(run->stopped.ended());
  EXPECT_EQ(processes.alive(), 3U);
  advance(1s);
  EXPECT_TRUE(run->stopped.rung());
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(ServiceLife, what_a_crash_leaves_behind_is_gone_before_the_next_run) {
  daemon("db");
  script("db", {.leaves_behind = 1, .children_stop_after = 50ms});
  up();
  end("db", 1);
  EXPECT_EQ(state("db"), State::stopping);
  advance(50ms);
  EXPECT_EQ(state("db"), State::backoff);
  advance(100ms);
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_LT(when("gone db#1"), when("spawn db#2"));
}

TEST_F(ServiceLife, live_is_asked_after_ready_only_and_restarts_what_hangs) {
  config::Service& db = daemon("db");
  speaking(db);
  db.live = std::make_unique<config::ProbeSet>();
  db.live->probes.push_back(a_probe());
  db.live->probes[0].period = 10s;
  db.live->probes[0].failure_threshold = 3;
  bool alive = false;
  probes.answer = [&](const std::string&, const config::Probe&) { return ProbeAnswer{.yes = alive}; };
  up();
  advance(10min);
  EXPECT_EQ(state("db"), State::starting) << "a slow start is not a hang";
  EXPECT_EQ(probes.checks(), 0U);
  alive = true;
  say_ready("db");
  advance(1min);
  EXPECT_EQ(state("db"), State::ready);
  alive = false;
  advance(34s);
  EXPECT_NE(state("db"), State::ready);
  EXPECT_THAT(cause("db"), HasSubstr("db is not alive"));
  EXPECT_EQ(service("db").counters().restarts_on_liveness, 1U);
  EXPECT_EQ(service("db").counters().restarts_on_failure, 0U);
}

TEST_F(ServiceLife, a_recheck_makes_unready_and_ready_again_without_a_restart) {
  config::Service& db = daemon("db");
  db.ready.probes.push_back(a_probe());
  db.ready.probes[0].recheck = 1s;
  bool answers = true;
  probes.answer = [&](const std::string&, const config::Probe&) { return ProbeAnswer{.yes = answers}; };
  up();
  advance(100ms);
  ASSERT_EQ(state("db"), State::ready);
  EXPECT_TRUE(supervisor->stack_ready());
  answers = false;
  advance(1200ms);
  EXPECT_EQ(state("db"), State::unready);
  EXPECT_FALSE(supervisor->stack_ready());
  answers = true;
  advance(1200ms);
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(service("db").counters().restarts(), 0U);
  EXPECT_TRUE(supervisor->stack_ready());
}

TEST_F(ServiceLife, success_exit_codes_are_success) {
  config::Service& job = oneshot("job");
  job.extras = std::make_unique<config::ServiceExtras>();
  job.extras->success_exit_codes = {3};
  daemon("api", {"job"});
  up();
  end("job", 3);
  EXPECT_EQ(state("job"), State::completed);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(ServiceLife, a_oneshot_is_ready_when_completed_and_not_done_again) {
  oneshot("migrate");
  daemon("api", {"migrate"});
  up();
  EXPECT_EQ(state("migrate"), State::starting);
  EXPECT_EQ(state("api"), State::waiting);
  const auto run = service("migrate").incarnation();
  end("migrate");
  EXPECT_EQ(state("migrate"), State::completed);
  EXPECT_TRUE(run->ready.rung());
  EXPECT_EQ(state("api"), State::ready);
  end("api", 1);
  advance(1s);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(processes.spawned(), 3U);
}

TEST_F(ServiceLife, a_oneshot_that_fails_blocks_whoever_needs_it) {
  oneshot("migrate");
  daemon("api", {"migrate"});
  up();
  end("migrate", 4);
  EXPECT_EQ(state("migrate"), State::failed);
  EXPECT_EQ(state("api"), State::blocked);
  EXPECT_THAT(cause("api"), HasSubstr("migrate has failed: migrate exited with code 4"));
}

TEST_F(ServiceLife, ten_seconds_in_ready_reset_the_back_off) {
  daemon("db");
  up();
  for (int i = 0; i < 4; ++i) {
    end("db", 1);
    advance(100ms * (1 << i));
    ASSERT_EQ(state("db"), State::ready) << i;
  }
  advance(10s);
  end("db", 1);
  advance(100ms);
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(ServiceLife, nothing_is_held_by_what_does_not_run) {
  daemon("db");
  up();
  EXPECT_EQ(resources.held().size(), 1U);
  command(ServiceCommand::stop, "db");
  EXPECT_TRUE(resources.held().empty());
  EXPECT_TRUE(loop.timers().empty());
}

// A thousand that wait are prepared one a turn: what comes in between goes first.
TEST_F(ServiceLife, preparing_those_that_wait_delays_nobody) {
  speaking(daemon("db"));
  for (int i = 0; i < 50; ++i) daemon("s" + std::to_string(i), {"db"});
  supervisor = std::make_unique<daemon::Supervisor>(root, stack, processes, resources, probes, chronicle, 1);
  supervisor->begin({});
  for (int i = 0; i < 200 && resources.held().size() < 3; ++i) loop.step();
  ASSERT_EQ(state("db"), State::starting);
  EXPECT_LT(resources.held().size(), 50U);
  loop.run_until_idle();
  EXPECT_EQ(resources.held().size(), 51U);
}

}  // namespace
}  // namespace belfry::testing
