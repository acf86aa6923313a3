#include "daemon/graph/stop_plan.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

const TimePoint now = TimePoint{} + 1h;

TEST(StopPlan, who_has_nothing_below_may_use_the_whole_budget) {
  const auto shares = plan_stop({{.timeout = 10s, .below = {}}}, now, now + 25s);
  EXPECT_EQ(shares[0].kept, 10s);
  EXPECT_EQ(shares[0].end_by, now + 25s);
}

TEST(StopPlan, a_slow_application_never_eats_the_time_of_the_database) {
  // api (20 s) depends on db (10 s): api is killed at D - 10 s at the latest.
  const auto shares =
      plan_stop({{.timeout = 10s, .below = {}}, {.timeout = 20s, .below = {0}}}, now, now + 30s);
  EXPECT_EQ(shares[1].end_by, now + 20s);
  EXPECT_EQ(shares[0].end_by, now + 30s);
}

TEST(StopPlan, the_longest_chain_below_counts) {
  const auto shares = plan_stop({{.timeout = 1s, .below = {}},
                                 {.timeout = 5s, .below = {}},
                                 {.timeout = 2s, .below = {0}},
                                 {.timeout = 1s, .below = {1, 2}}},
                                now, now + 25s);
  EXPECT_EQ(shares[3].end_by, now + 20s);
}

TEST(StopPlan, chains_that_cannot_fit_are_scaled_down) {
  const auto shares = plan_stop(
      {{.timeout = 10s, .below = {}}, {.timeout = 10s, .below = {0}}, {.timeout = 20s, .below = {1}}}, now,
      now + 20s);
  EXPECT_EQ(shares[0].kept, 5s);
  EXPECT_EQ(shares[1].kept, 5s);
  EXPECT_EQ(shares[2].kept, 10s);
  EXPECT_EQ(shares[2].end_by, now + 10s);
}

TEST(StopPlan, nobody_counts_for_more_than_there_is) {
  // api (30 s) depends on db (3 s): of six seconds db can count on two.
  const auto shares =
      plan_stop({{.timeout = 3s, .below = {}}, {.timeout = 30s, .below = {0}}}, now, now + 6s);
  EXPECT_EQ(shares[1].end_by, now + 4s);
  EXPECT_EQ(shares[0].end_by, now + 6s);
}

TEST(StopPlan, a_deadline_that_has_passed_kills_at_once) {
  const auto shares = plan_stop({{.timeout = 10s, .below = {}}}, now, now - 1s);
  EXPECT_EQ(shares[0].kept, 0s);
  EXPECT_EQ(shares[0].end_by, now);
}

TEST(StopPlan, what_has_no_process_takes_no_time) {
  const auto shares = plan_stop(
      {{.timeout = 10s, .below = {}}, {.timeout = 0s, .below = {0}}, {.timeout = 10s, .below = {1}}}, now,
      now + 25s);
  EXPECT_EQ(shares[2].end_by, now + 15s);
  EXPECT_EQ(shares[1].end_by, now + 15s);
}

TEST(StopPlan, times_that_add_up_to_more_than_all_time_are_shared_out_all_the_same) {
  constexpr Duration for_ever = Duration::max();
  const std::vector<StopNode> chain{
      {.timeout = for_ever, .below = {}}, {.timeout = for_ever, .below = {0}}, {.timeout = 1s, .below = {1}}};
  for (const TimePoint deadline : {now + 30s, TimePoint::max()}) {
    const auto shares = plan_stop(chain, now, deadline);
    for (const StopShare& share : shares) {
      EXPECT_GE(share.end_by, now);
      EXPECT_LE(share.end_by, deadline);
      EXPECT_GE(share.kept, Duration::zero());
    }
    EXPECT_EQ(shares[0].end_by, deadline);
  }
}

TEST(StopPlan, a_chain_of_ten_thousand_is_planned) {
  std::vector<StopNode> nodes(10'000);
  for (std::uint32_t i = 1; i < nodes.size(); ++i) nodes[i] = {.timeout = 1s, .below = {i - 1}};
  const auto shares = plan_stop(nodes, now, now + 10s);
  EXPECT_LT(shares.back().end_by, shares.front().end_by);
}

}  // namespace
}  // namespace belfry::daemon
