#include "daemon/journal/timeline.hpp"

#include <gtest/gtest.h>

#include <array>

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

TimePoint second(int n) { return TimePoint(std::chrono::seconds(n)); }

struct TimelineTest : testing::Test {
  Timeline timeline{1};
  State state = State::inactive;

  void enter(State to, int at, std::uint64_t run = 1) {
    timeline.entered(0, std::exchange(state, to), to, second(at), run);
  }
  const Milestones& its() const { return timeline.of(0); }
};

TEST_F(TimelineTest, a_start_leaves_all_its_moments) {
  enter(State::waiting, 1);
  enter(State::starting, 2);
  timeline.started(0, second(3));
  enter(State::ready, 4);
  EXPECT_EQ(its().wanted, second(1));
  EXPECT_EQ(its().waiting, second(1));
  EXPECT_EQ(its().starting, second(2));
  EXPECT_EQ(its().started, second(3));
  EXPECT_EQ(its().ready, second(4));
  EXPECT_FALSE(its().stopped);
  EXPECT_EQ(its().attempts, 1U);
}

TEST_F(TimelineTest, an_attempt_that_failed_counts_and_leaves_no_moments) {
  enter(State::waiting, 1);
  enter(State::starting, 2);
  timeline.started(0, second(3));
  enter(State::stopping, 4);
  enter(State::backoff, 5);
  enter(State::waiting, 6);
  EXPECT_FALSE(its().started);
  enter(State::starting, 7, 2);
  EXPECT_EQ(its().wanted, second(1));
  EXPECT_EQ(its().waiting, second(6));
  EXPECT_EQ(its().starting, second(7));
  EXPECT_EQ(its().attempts, 2U);
  EXPECT_EQ(its().incarnation, 2U);
}

TEST_F(TimelineTest, what_a_crash_brings_later_is_not_of_the_start) {
  enter(State::waiting, 1);
  enter(State::starting, 2);
  enter(State::ready, 3);
  enter(State::stopping, 4);
  enter(State::backoff, 5);
  EXPECT_EQ(its().stopped, second(5));
  enter(State::waiting, 6);
  enter(State::starting, 7, 2);
  timeline.started(0, second(8));
  enter(State::ready, 9);
  EXPECT_EQ(its().starting, second(2));
  EXPECT_EQ(its().ready, second(3));
  EXPECT_EQ(its().attempts, 1U);
  EXPECT_FALSE(timeline.cares(0));
}

TEST_F(TimelineTest, a_restart_by_command_is_not_of_the_start_either) {
  enter(State::waiting, 1);
  enter(State::starting, 2);
  enter(State::ready, 3);
  enter(State::stopping, 4);
  enter(State::waiting, 5);
  enter(State::starting, 6, 2);
  EXPECT_EQ(its().waiting, second(1));
  EXPECT_EQ(its().starting, second(2));
}

TEST_F(TimelineTest, a_start_after_a_stop_is_a_new_one) {
  enter(State::waiting, 1);
  enter(State::starting, 2);
  enter(State::ready, 3);
  enter(State::stopping, 4);
  enter(State::inactive, 5);
  enter(State::waiting, 6);
  EXPECT_EQ(its().wanted, second(6));
  EXPECT_FALSE(its().ready);
  EXPECT_EQ(its().attempts, 0U);
}

TEST_F(TimelineTest, who_was_blocked_and_healed_goes_on_with_its_start) {
  enter(State::waiting, 1);
  enter(State::blocked, 2);
  enter(State::waiting, 3);
  EXPECT_EQ(its().wanted, second(1));
  EXPECT_EQ(its().waiting, second(3));
}

TEST_F(TimelineTest, edges_are_kept_in_their_order) {
  enter(State::waiting, 1);
  enter(State::starting, 5);
  const std::array<Milestone, 2> edges = {second(3), Milestone()};
  timeline.edges_hold_since(0, edges);
  EXPECT_EQ(its().edges[0], second(3));
  EXPECT_FALSE(its().edges[1]);
}

}  // namespace
}  // namespace belfry::daemon
