// When runs are due, on both clocks, whatever becomes of the time of day.
#include "daemon/schedule/schedule_state.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr TimePoint begin{1h};

config::Schedule every(Duration time, Duration jitter = 0s) {
  config::Schedule spec;
  spec.every = time;
  spec.jitter = jitter;
  return spec;
}

class Schedule : public ::testing::Test {
 protected:
  void by(const config::Schedule& spec) {
    auto made = timetable_of(spec);
    ASSERT_TRUE(made) << made.error();
    timetable = *made;
    state = begin_schedule(timetable, now, 0.5);
  }
  void by_cron(const std::string& line, const std::string& zone = "UTC") {
    by({.cron = line, .time_zone = zone});
  }
  // Both clocks go on.
  void pass(Duration time) {
    now.at += time;
    now.day += time;
  }
  // Only the time of day: somebody sets it, or the machine has slept.
  void set_clock(Duration by) {
    now.day += by;
    clock_was_set(timetable, state, now);
  }
  Duration due_in() { return due_at(timetable, state, now) - now.at; }
  std::uint64_t take() { return take_due(timetable, state, now, 0.5).count; }

  // The 1st of December 2026, at noon.
  Clocks now{.at = begin, .day = sys_days(std::chrono::year(2026) / 12 / 1) + 12h};
  Timetable timetable;
  ScheduleState state;
};

TEST_F(Schedule, every_ten_minutes_comes_after_ten_minutes_and_does_not_drift) {
  by(every(10min));
  EXPECT_EQ(due_in(), 10min);
  EXPECT_EQ(take(), 0U);
  pass(10min + 3s);
  EXPECT_EQ(take(), 1U);
  EXPECT_EQ(due_in(), 10min - 3s);
}

TEST_F(Schedule, jitter_moves_a_run_and_not_those_after_it) {
  by(every(10min, 1min));
  EXPECT_EQ(due_in(), 10min + 30s);
  pass(10min + 29s);
  EXPECT_EQ(take(), 0U);
  pass(1s);
  EXPECT_EQ(take(), 1U);
  EXPECT_EQ(due_in(), 10min);
}

TEST_F(Schedule, what_was_due_while_belfry_stood_still_is_counted) {
  by(every(10min));
  pass(35min);
  EXPECT_EQ(take(), 3U);
  EXPECT_EQ(due_in(), 5min);
}

TEST_F(Schedule, every_so_often_takes_no_notice_of_the_time_of_day) {
  by(every(10min));
  set_clock(72h);
  EXPECT_EQ(take(), 0U);
  EXPECT_EQ(due_in(), 10min);
  set_clock(-200h);
  EXPECT_EQ(due_in(), 10min);
}

TEST_F(Schedule, a_time_of_the_day_comes_at_that_time) {
  by_cron("30 12 * * *");
  EXPECT_EQ(due_in(), 30min);
  pass(30min);
  EXPECT_EQ(take(), 1U);
  EXPECT_EQ(take(), 0U);
  EXPECT_EQ(due_in(), 24h);
}

TEST_F(Schedule, it_goes_by_the_clocks_of_its_zone) {
  by_cron("30 13 * * *", "Europe/Zurich");
  EXPECT_EQ(due_in(), 30min);
}

TEST_F(Schedule, a_run_is_late_by_its_jitter_and_the_next_one_is_not) {
  by({.cron = "30 12 * * *", .time_zone = "UTC", .jitter = 10min});
  EXPECT_EQ(due_in(), 35min);
  pass(35min);
  EXPECT_EQ(take(), 1U);
  EXPECT_EQ(due_in(), 24h);
}

TEST_F(Schedule, a_clock_that_is_set_forward_makes_it_come_earlier) {
  by_cron("30 12 * * *");
  set_clock(10min);
  EXPECT_EQ(due_in(), 20min);
}

TEST_F(Schedule, what_the_clock_passes_over_is_due_at_once_and_counted) {
  by_cron("0 * * * *");
  set_clock(3h + 10min);
  EXPECT_LE(due_in(), 0s);
  const DueRuns due = take_due(timetable, state, now, 0);
  EXPECT_EQ(due.count, 3U);
  EXPECT_EQ(due.late, 2h + 10min);
  EXPECT_FALSE(due.is_at_least);
  EXPECT_EQ(due_in(), 50min);
}

TEST_F(Schedule, a_clock_that_was_decades_behind_is_counted_up_to_a_bound) {
  now.day = {};
  by_cron("* * * * *");
  set_clock(24h * 365 * 56);
  const DueRuns due = take_due(timetable, state, now, 0);
  EXPECT_EQ(due.count, 1000U);
  EXPECT_TRUE(due.is_at_least);
  EXPECT_LE(due_in(), 1min);
  EXPECT_GT(due_in(), 0s);
}

TEST_F(Schedule, a_time_of_the_day_that_has_run_does_not_run_again_when_the_clock_is_set_back_a_little) {
  by_cron("30 12 * * *");
  pass(31min);
  EXPECT_EQ(take(), 1U);
  set_clock(-1h);
  EXPECT_EQ(due_in(), 24h + 59min);
}

TEST_F(Schedule, a_clock_that_was_wrong_before_is_believed) {
  by_cron("30 12 * * *");
  pass(31min);
  EXPECT_EQ(take(), 1U);
  set_clock(-12h);
  EXPECT_EQ(due_in(), 11h + 59min);
}

TEST_F(Schedule, what_comes_every_few_minutes_goes_by_the_clock_as_it_is_set) {
  by_cron("*/10 * * * *");
  pass(10min);
  EXPECT_EQ(take(), 1U);
  set_clock(-1h);
  EXPECT_EQ(due_in(), 10min);
}

TEST_F(Schedule, a_step_of_ntp_runs_nothing_twice) {
  by_cron("*/10 * * * *");
  pass(10min);
  EXPECT_EQ(take(), 1U);
  set_clock(-2s);
  EXPECT_EQ(due_in(), 10min + 2s);
}

TEST_F(Schedule, one_that_comes_to_late_because_a_timer_was_early_is_asked_for_again) {
  by_cron("30 12 * * *");
  pass(30min - 1ms);
  EXPECT_EQ(take(), 0U);
  EXPECT_EQ(due_in(), 1ms);
}

TEST_F(Schedule, is_told_in_a_few_words) {
  EXPECT_EQ(text_of(every(10min, 30s)), "every 10m, up to 30s later");
  EXPECT_EQ(text_of({.cron = "0 3 * * *", .time_zone = "Europe/Zurich"}), "0 3 * * * (Europe/Zurich)");
}

TEST_F(Schedule, without_its_zone_there_is_none) {
  const auto made = timetable_of({.cron = "0 3 * * *", .time_zone = "Europe/Zurch"});
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().contains("Europe/Zurch"));
}

}  // namespace
}  // namespace belfry::daemon
