#include "report/incarnations.hpp"

#include <gtest/gtest.h>

namespace belfry::report {
namespace {

using namespace std::chrono_literals;

Event state(Duration at, std::string service, std::string what, std::int64_t incarnation = 0,
            std::string cause = {}) {
  return {.at = at,
          .time = {},
          .kind = "state",
          .service = std::move(service),
          .what = std::move(what),
          .cause = std::move(cause),
          .incarnation = incarnation};
}
Event started(Duration at, std::string service, std::int64_t incarnation) {
  return {.at = at,
          .time = {},
          .kind = "bell",
          .service = std::move(service),
          .what = "started",
          .incarnation = incarnation};
}

Run run_with(std::vector<Event> events) {
  report::Run run;
  run.services = {{.name = "db", .type = "daemon", .state = "ready"}};
  run.events = std::move(events);
  return run;
}

TEST(Incarnations, one_goes_from_its_wish_to_start_to_its_bell) {
  const auto all = incarnations_of(run_with({state(1ms, "db", "waiting"), state(5ms, "db", "starting", 1),
                                             started(6ms, "db", 1), state(9ms, "db", "ready", 1)}));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].waiting, 1ms);
  EXPECT_EQ(all[0].starting, 5ms);
  EXPECT_EQ(all[0].started, 6ms);
  EXPECT_EQ(all[0].ready, 9ms);
  EXPECT_FALSE(all[0].ended);
  EXPECT_TRUE(all[0].has_succeeded());
}

TEST(Incarnations, each_attempt_is_one_of_its_own_with_its_cause) {
  const auto all = incarnations_of(
      run_with({state(0ms, "db", "waiting"), state(1ms, "db", "starting", 1), state(4ms, "db", "stopping", 1),
                state(5ms, "db", "backoff", 1, "exited with code 1"), state(9ms, "db", "waiting", 1),
                state(9ms, "db", "starting", 2), state(12ms, "db", "ready", 2)}));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].ended, 5ms);
  EXPECT_EQ(all[0].result, "backoff");
  EXPECT_EQ(all[0].cause, "exited with code 1");
  EXPECT_FALSE(all[0].has_succeeded());
  EXPECT_EQ(all[1].number, 2);
  EXPECT_EQ(all[1].ready, 12ms);
}

TEST(Incarnations, to_be_unready_for_a_while_makes_no_new_one) {
  const auto all = incarnations_of(run_with({state(0ms, "db", "starting", 1), state(1ms, "db", "ready", 1),
                                             state(2ms, "db", "unready", 1), state(3ms, "db", "ready", 1)}));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].ready, 1ms);
}

TEST(Incarnations, who_waits_in_vain_has_waited_all_the_same) {
  const auto all = incarnations_of(
      run_with({state(0ms, "db", "waiting"), state(7ms, "db", "blocked", 0, "x has failed")}));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].number, 0);
  EXPECT_EQ(all[0].result, "blocked");
  EXPECT_EQ(all[0].ended, 7ms);
}

TEST(Incarnations, what_the_journal_has_forgotten_of_the_start_the_timeline_knows) {
  report::Run run = run_with({});
  run.services[0].incarnation = 3;
  run.services[0].wanted_at = 1ms;
  run.services[0].starting = 2ms;
  run.services[0].ready_at = 8ms;
  const auto all = incarnations_of(run);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].begin(), 1ms);
  EXPECT_EQ(all[0].ready, 8ms);
  run.events = {state(2ms, "db", "starting", 3), state(8ms, "db", "ready", 3)};
  EXPECT_EQ(incarnations_of(run).size(), 1U);
}

TEST(Incarnations, events_of_nobody_known_and_of_the_stack_are_passed_over) {
  EXPECT_TRUE(incarnations_of(run_with({state(0ms, "stranger", "starting", 1),
                                        {.at = 0ms, .time = {}, .kind = "stack", .what = "begun"},
                                        state(0ms, "db", "ready", 1)}))
                  .empty());
}

}  // namespace
}  // namespace belfry::report
