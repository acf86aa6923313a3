// `schedule` of a oneshot. What can be wrong with one is in the files of tests/config/bad that are named
// after it.
#include <gtest/gtest.h>

#include "config/decode/decode.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

Service oneshot_with(const std::string& keys) {
  Stack stack = good("services: {x: {type: oneshot, command: sleep 1, " + keys + "}}");
  return std::move(stack.services.front());
}

Schedule schedule_of(const std::string& text) { return *oneshot_with("schedule: " + text).extras->schedule; }

TEST(DecodeSchedule, every_so_often_has_defaults) {
  const Schedule schedule = schedule_of("{every: 10m}");
  EXPECT_EQ(schedule.every, 10min);
  EXPECT_EQ(schedule.cron, "");
  EXPECT_EQ(schedule.jitter, 0s);
  EXPECT_EQ(schedule.overlap, Overlap::skip);
  EXPECT_FALSE(schedule.at_start);
}

TEST(DecodeSchedule, a_line_of_cron_goes_by_clocks_somewhere) {
  const Schedule schedule = schedule_of(
      "{cron: '0 3 * * *', time_zone: Europe/Zurich, jitter: 5m, overlap: queue, at_start: true}");
  EXPECT_EQ(schedule.cron, "0 3 * * *");
  EXPECT_EQ(schedule.time_zone, "Europe/Zurich");
  EXPECT_EQ(schedule.jitter, 5min);
  EXPECT_EQ(schedule.overlap, Overlap::queue);
  EXPECT_TRUE(schedule.at_start);
  EXPECT_EQ(schedule_of("{cron: '@daily'}").time_zone, "local");
}

TEST(DecodeSchedule, readyz_does_not_wait_for_it_unless_that_is_written) {
  EXPECT_TRUE(oneshot_with("schedule: {every: 10m}").extras->health_ignore);
  EXPECT_FALSE(oneshot_with("schedule: {every: 10m}, health: count").extras->health_ignore);
}

TEST(DecodeSchedule, it_may_come_from_a_variable) {
  const Stack stack =
      good("services: {x: {type: oneshot, command: x, schedule: {cron: '$WHEN'}}}", {{"WHEN", "0 4 * * *"}});
  EXPECT_EQ(stack.services.front().extras->schedule->cron, "0 4 * * *");
  const Loaded wrong = loaded("services: {x: {type: oneshot, command: x, schedule: {cron: '$WHEN'}}}",
                              {{"WHEN", "0 44 * * *"}});
  EXPECT_TRUE(text_of(wrong.diagnostics).contains("test.yaml:1:"));
}

}  // namespace
}  // namespace belfry::config
