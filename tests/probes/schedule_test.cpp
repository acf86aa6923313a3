#include "probes/schedule.hpp"

#include <gtest/gtest.h>

namespace belfry::probes {
namespace {

using namespace std::chrono_literals;

TEST(Schedule, a_young_service_is_asked_every_millisecond) {
  EXPECT_EQ(adaptive_delay(0ms), 1ms);
  EXPECT_EQ(adaptive_delay(50ms), 1ms);
}

TEST(Schedule, the_delay_is_a_fiftieth_of_the_age) {
  EXPECT_EQ(adaptive_delay(500ms), 10ms);
  EXPECT_EQ(adaptive_delay(5s), 100ms);
}

TEST(Schedule, an_old_service_is_asked_four_times_a_second) { EXPECT_EQ(adaptive_delay(1h), 250ms); }

TEST(Schedule, the_first_attempt_waits_for_the_initial_delay_only) {
  ScheduleOptions options;
  options.initial_delay = 3s;
  EXPECT_EQ(next_delay(options, Phase::starting, 0s, 0, 0.5), 3s);
  EXPECT_EQ(next_delay(options, Phase::starting, 3s, 1, 0.5), 60ms);
}

TEST(Schedule, a_given_period_replaces_the_adaptive_one) {
  ScheduleOptions options;
  options.period = 2s;
  EXPECT_EQ(next_delay(options, Phase::starting, 0s, 1, 0.0), 2s);
}

TEST(Schedule, while_watching_the_period_is_jittered_around_its_value) {
  ScheduleOptions options;
  options.period = 10s;
  EXPECT_EQ(next_delay(options, Phase::watching, 0s, 1, 0.5), 10s);
  EXPECT_EQ(next_delay(options, Phase::watching, 0s, 1, 0.0), 9s);
  EXPECT_LT(next_delay(options, Phase::watching, 0s, 1, 0.999), 11s);
}

TEST(Schedule, the_first_look_while_watching_comes_at_any_moment_of_the_period) {
  ScheduleOptions options;
  options.period = 10s;
  options.initial_delay = 3s;
  EXPECT_EQ(next_delay(options, Phase::watching, 0s, 0, 0.0), 3s);
  EXPECT_EQ(next_delay(options, Phase::watching, 0s, 0, 0.5), 8s);
}

TEST(Schedule, watching_without_a_period_looks_every_ten_seconds) {
  ScheduleOptions options;
  options.jitter = 0;
  EXPECT_EQ(next_delay(options, Phase::watching, 0s, 1, 0.9), 10s);
}

TEST(Schedule, many_port_waiters_slow_each_other_down) {
  EXPECT_EQ(port_period(0), 10ms);
  EXPECT_EQ(port_period(200), 10ms);
  EXPECT_EQ(port_period(1000), 50ms);
}

TEST(Thresholds, one_success_is_enough_by_default) {
  Thresholds thresholds(ScheduleOptions{});
  EXPECT_EQ(thresholds.record(false), Thresholds::Change::none);
  EXPECT_EQ(thresholds.record(true), Thresholds::Change::up);
  EXPECT_EQ(thresholds.record(true), Thresholds::Change::none);
  EXPECT_TRUE(thresholds.up());
}

TEST(Thresholds, failures_must_come_in_a_row) {
  ScheduleOptions options;
  options.failure_threshold = 3;
  Thresholds thresholds(options, true);
  EXPECT_EQ(thresholds.record(false), Thresholds::Change::none);
  EXPECT_EQ(thresholds.record(false), Thresholds::Change::none);
  EXPECT_EQ(thresholds.streak(), 2U);
  EXPECT_EQ(thresholds.record(true), Thresholds::Change::none);
  EXPECT_EQ(thresholds.record(false), Thresholds::Change::none);
  EXPECT_EQ(thresholds.record(false), Thresholds::Change::none);
  EXPECT_EQ(thresholds.record(false), Thresholds::Change::down);
  EXPECT_FALSE(thresholds.up());
}

TEST(Thresholds, a_threshold_of_zero_means_one) {
  ScheduleOptions options;
  options.success_threshold = 0;
  Thresholds thresholds(options);
  EXPECT_EQ(thresholds.record(true), Thresholds::Change::up);
}

TEST(Schedule, jitter_does_not_carry_the_longest_period_round) {
  ScheduleOptions options;
  options.period = Duration::max();
  EXPECT_EQ(next_delay(options, Phase::watching, Duration::zero(), 1, 0.999), Duration::max());
  EXPECT_GT(next_delay(options, Phase::watching, Duration::zero(), 1, 0.0), Duration::zero());
}

}  // namespace
}  // namespace belfry::probes
