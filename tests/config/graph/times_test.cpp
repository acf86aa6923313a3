#include "config/graph/times.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

using namespace std::chrono_literals;

TEST(Times, are_declared_a_line_each) {
  const auto times = parse_times("# of last week\n\ndb 1.5s\r\n  api:\t200ms\ndb 2s\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(*times, (Times{{"db", 2s}, {"api", 200ms}}));
}
TEST(Times, are_recorded_as_the_mean_of_each_service) {
  const auto times = parse_times(
      "# TYPE belfry_service_ready_seconds histogram\n"
      "belfry_service_ready_seconds_bucket{service=\"db\",le=\"1\"} 0\n"
      "belfry_service_ready_seconds_sum{service=\"db\"} 3\n"
      "belfry_service_ready_seconds_count{service=\"db\"} 2\n"
      "belfry_service_ready_seconds_sum{service=\"never\"} 0\n"
      "belfry_service_ready_seconds_count{service=\"never\"} 0\n"
      "belfry_service_stop_seconds_sum{service=\"db\"} 9\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(*times, (Times{{"db", 1500ms}}));
}
TEST(Times, that_are_none_are_told_by_line) {
  EXPECT_TRUE(parse_times("db 1s\napi soon\n").error().message.starts_with("line 2: "));
  EXPECT_FALSE(parse_times("db\n"));
  EXPECT_FALSE(parse_times("{\"a\": 1}"));
  EXPECT_TRUE(parse_times("")->empty());
}
TEST(Times, of_a_torn_page_do_no_harm) {
  for (const char* text : {"belfry_service_ready_seconds_", "belfry_service_ready_seconds_sum{",
                           "belfry_service_ready_seconds_sum{service=\"",
                           "belfry_service_ready_seconds_sum{service=\"a\"} "
                           "inf\nbelfry_service_ready_seconds_count{service=\"a\"} 1",
                           "belfry_service_ready_seconds_sum{service=\"a\"} "
                           "1e300\nbelfry_service_ready_seconds_count{service=\"a\"} 1"})
    EXPECT_TRUE(parse_times(text)->empty()) << text;
}

}  // namespace
}  // namespace belfry::config
