// When a run that is to stop is killed, and when nobody waits for it any more.
#include "daemon/service/stop_rules.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "tests/support/stack_builder.hpp"

namespace belfry::testing {
namespace {

using daemon::Moment;
using daemon::Record;
using ::testing::HasSubstr;

class StopRules : public ::testing::Test {
 protected:
  StopRules() : service(a_service(stack, "db", config::ServiceType::daemon)) {
    service.stop.timeout = 10s;
    record.since = asked;
    record.run.asked_to_stop_at = asked;
  }
  [[nodiscard]] TimePoint deadline(Duration paused = Duration::zero()) const {
    return kill_deadline(record, service, Moment{.at = asked, .paused = paused});
  }
  static system::Survivor somebody(char state = 'S', int refused = 0) {
    return {.pid = 4711, .state = state, .name = "postgres", .refused = refused};
  }

  const TimePoint asked{1h};
  config::Stack stack = a_stack();
  config::Service& service;
  Record record;
};

TEST_F(StopRules, the_service_s_own_time_counts_from_the_request) { EXPECT_EQ(deadline(), asked + 10s); }

TEST_F(StopRules, a_pause_of_belfry_is_nobody_s_fault) { EXPECT_EQ(deadline(3s), asked + 13s); }

TEST_F(StopRules, the_share_of_the_stack_s_budget_bounds_it_also_when_it_asked_for_more) {
  record.run.kill_by = asked + 4s;
  EXPECT_EQ(deadline(), asked + 4s);
  record.run.said.extend(asked + 30s);
  EXPECT_EQ(deadline(), asked + 4s);
  record.run.kill_by.reset();
  EXPECT_EQ(deadline(), asked + 30s);
}

TEST_F(StopRules, the_limit_that_killed_it_is_named) {
  EXPECT_EQ(why_killed(record, service), "stop.timeout 10s");
  record.run.kill_by = asked + 4s;
  record.cause = Error::failed("it hung");
  EXPECT_EQ(why_killed(record, service), "its share of shutdown.timeout; it had to stop: it hung");
  record.run.stop_timeout = Duration::zero();
  EXPECT_THAT(why_killed(record, service), HasSubstr("at once"));
}

TEST_F(StopRules, it_is_killed_again_at_the_end_of_each_wait_and_of_the_budget) {
  EXPECT_EQ(kill_again_at(record.run, asked, asked), asked + 2s);
  EXPECT_EQ(kill_again_at(record.run, asked, asked + 2s), asked + 4s);
  record.run.end_by = asked + 1s;
  EXPECT_EQ(kill_again_at(record.run, asked, asked + 2s), asked + 3s);
}

TEST_F(StopRules, who_may_be_killed_is_waited_for_ten_seconds) {
  EXPECT_FALSE(is_beyond_killing(record.run, {somebody()}, asked, asked + 9s));
  EXPECT_TRUE(is_beyond_killing(record.run, {somebody()}, asked, asked + 10s));
}

TEST_F(StopRules, who_sleeps_uninterruptibly_is_given_up_after_two_seconds) {
  EXPECT_FALSE(is_beyond_killing(record.run, {somebody('D')}, asked, asked + 1s));
  EXPECT_TRUE(is_beyond_killing(record.run, {somebody('D')}, asked, asked + 2s));
  EXPECT_FALSE(is_beyond_killing(record.run, {somebody('D'), somebody()}, asked, asked + 2s));
}

TEST_F(StopRules, whom_the_kernel_does_not_let_it_signal_is_given_up_at_once) {
  EXPECT_TRUE(is_beyond_killing(record.run, {somebody('S', EPERM)}, asked, asked));
  EXPECT_FALSE(is_beyond_killing(record.run, {somebody('S', EPERM), somebody()}, asked, asked));
}

TEST_F(StopRules, nothing_is_waited_for_beyond_the_budget) {
  record.run.end_by = asked;
  EXPECT_FALSE(is_beyond_killing(record.run, {somebody()}, asked, asked + 1s));
  EXPECT_TRUE(is_beyond_killing(record.run, {somebody()}, asked, asked + 2s));
}

TEST_F(StopRules, who_is_stuck_is_named_with_the_place_to_look) {
  EXPECT_THAT(daemon::text_of_stuck({somebody('D')}), HasSubstr("/proc/4711/stack"));
  EXPECT_THAT(daemon::text_of_stuck({}), HasSubstr("cannot be seen"));
}

}  // namespace
}  // namespace belfry::testing
