// Daemons that go to the background by themselves, and what else a process leaves when it ends.
#include "tests/daemon/rig.hpp"

#include <csignal>

namespace belfry::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class Background : public Rig {
 protected:
  // Its first process ends with 0 at `leaves`, and its children are the service.
  config::Service& forking(const char* name, Duration leaves = 5ms, std::uint32_t children = 1) {
    config::Service& made = speaking(daemon(name));
    made.stop.timeout = 1s;
    script(name, {.exits_after = leaves, .leaves_behind = children});
    return made;
  }
};

TEST_F(Background, what_a_daemon_leaves_before_it_is_ready_is_the_service) {
  forking("db");
  daemon("api", {"db"});
  up();
  advance(5ms);
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_EQ(service("db").counters().restarts(), 0U);
  say_ready("db");
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(state("api"), State::ready);
  advance(1h);
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(Background, its_first_process_may_leave_a_moment_after_the_bell) {
  forking("db", 800ms);
  up();
  say_ready("db");
  advance(800ms);
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(Background, who_leaves_children_long_after_the_bell_has_ended) {
  forking("db", 8s);
  up();
  say_ready("db");
  advance(8s);
  EXPECT_NE(state("db"), State::ready);
  EXPECT_THAT(chronicle.notices, Contains(HasSubstr("db ended; killed what it left running: ")));
}

TEST_F(Background, a_failure_is_no_way_into_the_background) {
  forking("db").restart->policy = config::RestartPolicy::no;
  forget_scripts();
  script("db", {.exits_after = 5ms, .exits_with = {.signaled = false, .value = 1}, .leaves_behind = 1});
  up();
  advance(5ms);
  EXPECT_EQ(state("db"), State::failed);
}

TEST_F(Background, somebody_elses_orphan_that_nobody_knew_yet_hides_no_exit) {
  forking("db").restart->policy = config::RestartPolicy::no;
  forget_scripts();
  script("db",
         {.exits_after = 5ms, .leaves_behind = 1, .children_are_unknown = true, .children_exit_after = 2ms});
  up();
  advance(7ms);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), HasSubstr("exited with code 0 before it was ready"));
}

TEST_F(Background, when_the_last_of_it_is_gone_the_run_has_failed) {
  forking("db").restart->policy = config::RestartPolicy::on_failure;
  forget_scripts();
  script("db", {.exits_after = 5ms, .leaves_behind = 2, .children_exit_after = 10s});
  up();
  advance(5ms);
  say_ready("db");
  advance(10s);
  EXPECT_EQ(state("db"), State::backoff);
  EXPECT_THAT(cause("db"), HasSubstr("all that it had left in the background is gone, and nobody knows how"));
}

TEST_F(Background, it_may_say_itself_how_it_ends) {
  forking("db").restart->policy = config::RestartPolicy::on_failure;
  forget_scripts();
  script("db", {.exits_after = 5ms, .leaves_behind = 1, .children_exit_after = 10s});
  up();
  advance(5ms);
  say_ready("db");
  service("db").said({.errnum = std::nullopt, .exit_status = 0});
  advance(10s);
  EXPECT_EQ(state("db"), State::completed);
}

TEST_F(Background, the_only_one_that_is_left_is_its_main_process) {
  forking("db");
  resources.can_follow = true;
  up();
  advance(5ms);
  EXPECT_TRUE(resources.followed.empty()) << "it may still fork";
  say_ready("db");
  ASSERT_EQ(resources.followed.size(), 1U);
  EXPECT_EQ(service("db").main_pid(), resources.followed.front());
  command(ServiceCommand::stop, "db");
  EXPECT_THAT(resources.main_signals, Contains(std::pair("db"s, SIGTERM)));
}

TEST_F(Background, whoever_forked_between_may_be_the_last_to_leave) {
  forking("db", 5ms, 2);
  resources.can_follow = true;
  up();
  advance(5ms);
  say_ready("db");
  EXPECT_TRUE(resources.followed.empty()) << "which of the two it is cannot be told";
  processes.lose_child("db");
  advance(1ms);
  ASSERT_EQ(resources.followed.size(), 1U);
  EXPECT_EQ(service("db").main_pid(), resources.followed.front());
}

TEST_F(Background, the_last_of_a_crowd_of_equals_is_not_taken_for_its_leader) {
  forking("db", 5ms, 2);
  resources.can_follow = true;
  up();
  advance(5ms);
  say_ready("db");
  advance(10s);
  processes.lose_child("db");
  advance(1h);
  EXPECT_TRUE(resources.followed.empty());
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(Background, a_main_process_that_has_ended_is_the_end_of_the_run_whoever_is_left) {
  forking("db", 5ms, 3);
  resources.can_follow = true;
  up();
  advance(5ms);
  service("db").main_process_is(4711);
  say_ready("db");
  service("db").main_ended(4711, system::ExitStatus{.signaled = false, .value = 3});
  for (int i = 0; i < 2; ++i) processes.lose_child("db");  // of those who are left one is the last
  advance(0ms);
  EXPECT_TRUE(resources.followed.empty());
  EXPECT_EQ(state("db"), State::backoff);
  EXPECT_THAT(cause("db"), HasSubstr("exited with code 3"));
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(Background, a_crowd_without_a_leader_is_asked_with_the_stop_signal_as_a_whole) {
  forking("db", 5ms, 3).stop.signal = SIGINT;
  up();
  advance(5ms);
  say_ready("db");
  EXPECT_TRUE(resources.followed.empty());
  command(ServiceCommand::stop, "db");
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_GE(when("SIGINT db#1"), 0);
  EXPECT_EQ(when("SIGTERM db#1"), -1);
}

TEST_F(Background, what_it_left_is_stopped_when_it_is_not_ready_in_time) {
  forking("db").ready.probes.front().timeout = 3s;
  up();
  advance(5ms);
  advance(3s);
  EXPECT_THAT(cause("db"), HasSubstr("was not ready in time"));
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(Background, without_readiness_it_is_refused_in_words_and_not_tried_again) {
  daemon("db").restart->policy = config::RestartPolicy::always;
  script("db", {.exits_after = 5ms, .leaves_behind = 1});
  up();
  advance(5ms);
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_THAT(cause("db"), HasSubstr("db daemonised: it forked, left "));
  EXPECT_THAT(cause("db"), HasSubstr("give it `ready:`, or run it in the foreground"));
  EXPECT_EQ(processes.spawned(), 1U);
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(Background, who_leaves_nobody_has_just_ended) {
  daemon("db").restart->policy = config::RestartPolicy::no;
  script("db", {.exits_after = 5ms});
  up();
  advance(5ms);
  EXPECT_EQ(state("db"), State::completed);
  EXPECT_THAT(chronicle.notices, Not(Contains(HasSubstr("killed what it left"))));
}

TEST_F(Background, a_oneshot_says_what_of_it_is_killed) {
  oneshot("launch");
  script("launch", {.exits_after = 5ms, .leaves_behind = 1});
  up();
  advance(5ms);
  EXPECT_EQ(state("launch"), State::completed);
  EXPECT_THAT(chronicle.notices, Contains(HasSubstr("launch ended; killed what it left running: ")));
}

TEST_F(Background, who_is_stopped_leaves_nothing_to_be_said) {
  daemon("db");
  script("db", {.leaves_behind = 1});
  up();
  command(ServiceCommand::stop, "db");
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_THAT(chronicle.notices, Not(Contains(HasSubstr("killed what it left"))));
}

}  // namespace
}  // namespace belfry::testing
