#include "analyze/trend.hpp"

#include <gmock/gmock.h>

namespace belfry::analyze {
namespace {

using namespace std::chrono_literals;

Observation start(Duration whole, Duration migrate) {
  return {.took = whole, .services = {{"db", 1s}, {"migrate", migrate}}};
}

TEST(Trend, the_newest_is_compared_with_the_median_of_those_before_it) {
  const auto found = deviations({start(2s, 900ms), start(9s, 8s), start(2s, 1100ms), start(6s, 5100ms)});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "migrate");
  EXPECT_EQ(found[0].median, 1100ms);
  EXPECT_EQ(found[0].by(), 4s);
  EXPECT_EQ(found[0].of, 3U);
  EXPECT_EQ(found[1].by(), 0s);
}

TEST(Trend, of_an_even_number_the_median_lies_in_the_middle) {
  const auto whole =
      deviation_of_whole({start(1s, 0s), start(2s, 0s), start(3s, 0s), start(4s, 0s), start(5s, 0s)});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->median, 2500ms);
}

TEST(Trend, of_too_few_nothing_is_said) {
  EXPECT_TRUE(deviations({start(1s, 1s), start(1s, 1s), start(9s, 9s)}).empty());
  EXPECT_FALSE(deviation_of_whole({start(1s, 1s)}));
}

TEST(Trend, two_are_compared_service_by_service_the_greatest_difference_first) {
  Observation after = start(3s, 2500ms);
  after.services[0] = {"cache", 10ms};
  const auto all = compare(start(2s, 1s), after);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "migrate");
  EXPECT_EQ(all[0].by(), 1500ms);
  EXPECT_EQ(all[1].name, "db");
  EXPECT_FALSE(all[1].after);
  EXPECT_FALSE(all[2].before);
}

}  // namespace
}  // namespace belfry::analyze
