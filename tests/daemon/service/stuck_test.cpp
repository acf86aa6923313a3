// A process that SIGKILL does not end: uninterruptible sleep, a dead disk, a file system that does not
// answer.
#include "tests/daemon/rig.hpp"

#include <csignal>

namespace belfry::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class Stuck : public Rig {
 protected:
  // db ← api, where api cannot be killed for `how_long`.
  void up_with_api_stuck_for(Duration how_long) {
    daemon("db");
    daemon("api", {"db"}).stop.timeout = 1s;
    script("api", {.unkillable_for = how_long});
    up();
    ASSERT_EQ(state("api"), State::ready);
  }
};

TEST_F(Stuck, a_process_that_cannot_be_killed_is_named_and_the_service_has_failed) {
  up_with_api_stuck_for(1h);
  const auto incarnation = service("api").incarnation();
  const auto& stop = command(ServiceCommand::stop, "api");
  advance(1s);
  EXPECT_EQ(state("api"), State::stopping);
  EXPECT_THAT(chronicle.notices, Contains(HasSubstr("api (in uninterruptible sleep)")));
  EXPECT_FALSE(stop.result);
  advance(2s);
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_THAT(cause("api"), HasSubstr("cannot be killed: "));
  EXPECT_THAT(cause("api"), HasSubstr("api (in uninterruptible sleep)"));
  EXPECT_TRUE(stop.result);
  EXPECT_TRUE(incarnation->stopped.ended());
  EXPECT_FALSE(incarnation->stopped.rung()) << "somebody of it is left";
  EXPECT_FALSE(service("api").level(Condition::stopped));
  EXPECT_THAT(resources.held(), Contains("api")) << "its pipe and its cgroup are in use";
}

TEST_F(Stuck, nothing_is_started_beside_it) {
  up_with_api_stuck_for(1h);
  command(ServiceCommand::stop, "api");
  advance(3s);
  const auto spawned = processes.spawned();
  command(ServiceCommand::start, "api");
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_THAT(cause("api"), HasSubstr("cannot start api beside its last run, which cannot be killed"));
  EXPECT_EQ(processes.spawned(), spawned);
}

TEST_F(Stuck, who_waited_for_its_end_goes_on_once_it_is_gone) {
  daemon("api").stop.timeout = 1s;
  daemon("report", {"api"}).depends_on[0].condition = Condition::stopped;
  script("api", {.unkillable_for = 1min});
  up();
  command(ServiceCommand::stop, "api");
  advance(3s);
  ASSERT_EQ(state("report"), State::blocked);
  advance(1min);
  EXPECT_EQ(state("report"), State::ready);
}

TEST_F(Stuck, it_is_watched_and_may_be_started_again_once_it_is_gone) {
  up_with_api_stuck_for(1min);
  command(ServiceCommand::stop, "api");
  advance(3s);
  ASSERT_EQ(state("api"), State::failed);
  advance(1min);
  EXPECT_THAT(chronicle.notices, Contains(HasSubstr("is gone at last")));
  EXPECT_THAT(resources.held(), Not(Contains("api")));
  EXPECT_TRUE(service("api").level(Condition::stopped));
  forget_scripts();
  command(ServiceCommand::start, "api");
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Stuck, what_it_depends_on_can_still_stop_and_the_shutdown_ends) {
  up_with_api_stuck_for(1h);
  down(5s);
  advance(3s);
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_TRUE(supervisor->is_at_rest());
  EXPECT_TRUE(supervisor->has_stuck());
}

TEST_F(Stuck, what_ends_in_time_after_all_is_like_any_other) {
  up_with_api_stuck_for(1500ms);
  command(ServiceCommand::stop, "api");
  advance(3s);
  EXPECT_EQ(state("api"), State::inactive);
  EXPECT_FALSE(service("api").record().stuck);
}

TEST_F(Stuck, a_restart_of_it_fails_instead_of_running_it_twice) {
  up_with_api_stuck_for(1h);
  command(ServiceCommand::restart, "api");
  advance(4s);
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_EQ(processes.spawned(), 2U);
}

TEST_F(Stuck, who_may_not_be_signalled_is_given_up_at_the_end_of_its_time_and_not_later) {
  daemon("db");
  daemon("api", {"db"}).stop.timeout = 1s;
  script("api", {.may_not_be_signalled = true});
  up();
  command(ServiceCommand::stop, "api");
  advance(1s);
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_THAT(cause("api"), HasSubstr("cannot be killed: "));
  EXPECT_THAT(cause("api"), HasSubstr("api (Operation not permitted"));
  EXPECT_THAT(chronicle.notices, Contains(HasSubstr("cannot kill ")));
}

TEST_F(Stuck, a_shutdown_without_the_right_to_kill_ends_within_its_budget) {
  daemon("db");
  daemon("api", {"db"});
  script("db", {.may_not_be_signalled = true});
  script("api", {.may_not_be_signalled = true});
  up();
  down(3s);
  advance(3s);
  EXPECT_TRUE(supervisor->is_at_rest());
  EXPECT_TRUE(supervisor->has_stuck());
}

TEST_F(Stuck, a_second_request_ends_it_at_once) {
  daemon("api");
  script("api", {.may_not_be_signalled = true});
  up();
  down(25s);
  EXPECT_FALSE(supervisor->is_at_rest());
  supervisor->kill_everything(Error::closed("killed"));
  loop.run_until_idle();
  EXPECT_TRUE(supervisor->is_at_rest());
}

TEST_F(Stuck, a_command_to_kill_is_answered_although_nobody_can_be) {
  daemon("api").stop.timeout = 1s;
  script("api", {.may_not_be_signalled = true});
  up();
  const auto& refused = command(ServiceCommand::kill, "api");
  ASSERT_TRUE(refused.result);
  EXPECT_THAT(refused.result->message, HasSubstr("cannot kill api: "));
  EXPECT_THAT(refused.result->message, HasSubstr("(Operation not permitted"));
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Stuck, a_command_to_kill_waits_for_what_sleeps_uninterruptibly_no_longer_than_a_stop_would) {
  up_with_api_stuck_for(1h);
  const auto& asked = command(ServiceCommand::kill, "api");
  advance(5s);
  EXPECT_FALSE(asked.result);
  advance(10s);
  ASSERT_TRUE(asked.result);
  EXPECT_NE(asked.result->outcome, CommandOutcome::done);
}

TEST_F(Stuck, news_while_it_is_being_killed_do_not_put_off_the_end) {
  up_with_api_stuck_for(1h);
  command(ServiceCommand::stop, "api");
  advance(1s);
  for (int i = 0; i < 10; ++i) {
    advance(300ms);
    service("api").said({.status = "still here"});
  }
  EXPECT_EQ(state("api"), State::failed);
}

TEST_F(Stuck, a_hook_that_cannot_be_killed_does_not_hold_up_the_stop) {
  daemon("api").stop.timeout = 1s;
  stack.services[0].extras = std::make_unique<config::ServiceExtras>();
  stack.services[0].extras->pre_stop = {"./drain"};
  processes.script = [](const RunId& id) {
    return id.command == "./drain" ? ProcessScript{.may_not_be_signalled = true} : ProcessScript{};
  };
  up();
  down(5s);
  advance(4s);
  EXPECT_THAT(chronicle.notices,
              Contains(HasSubstr("pre_stop of api did not end in time, and cannot be killed")));
  advance(10s);
  EXPECT_TRUE(supervisor->is_at_rest());
}

}  // namespace
}  // namespace belfry::testing
