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
  const auto& stop = command(Command::stop, "api");
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
  EXPECT_THAT(provisions.held(), Contains("api")) << "its pipe and its cgroup are in use";
}

TEST_F(Stuck, nothing_is_started_beside_it) {
  up_with_api_stuck_for(1h);
  command(Command::stop, "api");
  advance(3s);
  const auto spawned = processes.spawned();
  command(Command::start, "api");
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_THAT(cause("api"), HasSubstr("cannot start api beside its last run, which cannot be killed"));
  EXPECT_EQ(processes.spawned(), spawned);
}

TEST_F(Stuck, who_waited_for_its_end_goes_on_once_it_is_gone) {
  daemon("api").stop.timeout = 1s;
  daemon("report", {"api"}).depends_on[0].condition = Condition::stopped;
  script("api", {.unkillable_for = 1min});
  up();
  command(Command::stop, "api");
  advance(3s);
  ASSERT_EQ(state("report"), State::blocked);
  advance(1min);
  EXPECT_EQ(state("report"), State::ready);
}

TEST_F(Stuck, it_is_watched_and_may_be_started_again_once_it_is_gone) {
  up_with_api_stuck_for(1min);
  command(Command::stop, "api");
  advance(3s);
  ASSERT_EQ(state("api"), State::failed);
  advance(1min);
  EXPECT_THAT(chronicle.notices, Contains(HasSubstr("is gone at last")));
  EXPECT_THAT(provisions.held(), Not(Contains("api")));
  EXPECT_TRUE(service("api").level(Condition::stopped));
  forget_scripts();
  command(Command::start, "api");
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
  command(Command::stop, "api");
  advance(3s);
  EXPECT_EQ(state("api"), State::inactive);
  EXPECT_FALSE(service("api").record().stuck);
}

TEST_F(Stuck, a_restart_of_it_fails_instead_of_running_it_twice) {
  up_with_api_stuck_for(1h);
  command(Command::restart, "api");
  advance(4s);
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_EQ(processes.spawned(), 2U);
}

}  // namespace
}  // namespace belfry::testing
