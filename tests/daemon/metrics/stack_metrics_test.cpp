#include "daemon/metrics/stack_metrics.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/support/fake_stack.hpp"

namespace belfry::daemon {
namespace {

using testing::HasSubstr;

struct StackMetricsTest : testing::Test {
  ManualClock clock;
  Loop loop{clock};
  FakeStack stack{loop};
  StackMetrics metrics{stack};

  std::string written(Exposition exposition = Exposition::text) {
    std::string out;
    metrics.write(out, exposition);
    return out;
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(StackMetricsTest, a_service_is_in_exactly_one_state) {
  stack.add("db", State::backoff);
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("belfry_service_state{service=\"db\",state=\"backoff\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("belfry_service_state{service=\"db\",state=\"ready\"} 0\n"));
  const auto lines = lines_of(text);
  EXPECT_EQ(
      std::ranges::count_if(
          lines, [](const auto& l) { return l.starts_with("belfry_service_state{") && l.ends_with(" 1"); }),
      1);
}

TEST_F(StackMetricsTest, labels_are_escaped) {
  stack.add("a\"b\\c\nd");
  EXPECT_THAT(written(), HasSubstr("belfry_service_ready{service=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST_F(StackMetricsTest, own_bells_are_rung_or_not) {
  stack.add("api").bells = {{.name = "booted", .rung = true}, {.name = "warm", .rung = false}};
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("belfry_service_bell_rung{service=\"api\",bell=\"booted\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("belfry_service_bell_rung{service=\"api\",bell=\"warm\"} 0\n"));
}

TEST_F(StackMetricsTest, restarts_are_counted_by_reason) {
  stack.add("api").counters.restarts_on_failure = 3;
  EXPECT_THAT(written(), HasSubstr("belfry_service_restarts_total{service=\"api\",reason=\"failure\"} 3\n"));
}

TEST_F(StackMetricsTest, attempts_are_counted_and_timed_by_the_kind_of_their_probe) {
  stack.add("api").readiness_kind = "port";
  stack.fake(0).has_times = true;
  stack.fake(0).times.probe_tried("tcp", false, 0.002);
  stack.fake(0).times.probe_tried("tcp", true, 0.0001);
  const std::string text = written();
  for (const char* line :
       {"belfry_probe_attempts_total{service=\"api\",probe=\"tcp\",result=\"failure\"} 1\n",
        "belfry_probe_attempts_total{service=\"api\",probe=\"tcp\",result=\"success\"} 1\n",
        "belfry_probe_duration_seconds_bucket{service=\"api\",probe=\"tcp\",le=\"0.0001\"} 1\n",
        "belfry_probe_duration_seconds_bucket{service=\"api\",probe=\"tcp\",le=\"0.005\"} 2\n",
        "belfry_probe_duration_seconds_count{service=\"api\",probe=\"tcp\"} 2\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST_F(StackMetricsTest, the_attempts_of_the_probe_of_ready_are_counted_from_nought) {
  stack.add("api").readiness_kind = "port";
  EXPECT_THAT(
      written(),
      HasSubstr("belfry_probe_attempts_total{service=\"api\",probe=\"port\",result=\"failure\"} 0\n"));
}

TEST_F(StackMetricsTest, a_wait_for_a_dependency_grows_until_its_level_holds) {
  using std::chrono::milliseconds;
  const TimePoint begun = loop.now();
  stack.add("api");
  TimelineView& start = stack.fake(0).timeline;
  start.waiting = begun;
  start.edges = {{.on = "db", .condition = "ready", .holds_since = begun + milliseconds(250)},
                 {.on = "config", .condition = "completed", .holds_since = begun - milliseconds(10)},
                 {.on = "cache", .condition = "ready", .holds_since = {}}};
  clock.advance(milliseconds(1500));
  const std::string text = written();
  for (const char* line : {"belfry_dependency_wait_seconds{service=\"api\",dependency=\"db\"} 0.25\n",
                           "belfry_dependency_wait_seconds{service=\"api\",dependency=\"config\"} 0\n",
                           "belfry_dependency_wait_seconds{service=\"api\",dependency=\"cache\"} 1.5\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST_F(StackMetricsTest, two_edges_to_one_dependency_are_one_wait) {
  const TimePoint begun = loop.now();
  stack.add("api");
  TimelineView& start = stack.fake(0).timeline;
  start.waiting = begun;
  start.edges = {{.on = "db", .condition = "ready", .holds_since = begun + std::chrono::seconds(2)},
                 {.on = "db", .condition = "migrated", .holds_since = begun + std::chrono::seconds(3)}};
  EXPECT_THAT(written(), HasSubstr("belfry_dependency_wait_seconds{service=\"api\",dependency=\"db\"} 3\n"));
}

TEST_F(StackMetricsTest, the_critical_path_is_there_when_everything_was_ready_once) {
  EXPECT_THAT(written(), Not(HasSubstr("\nbelfry_startup_critical_path_seconds ")));
  stack.start_view.begun = loop.now();
  stack.start_view.up = loop.now() + std::chrono::milliseconds(125);
  EXPECT_THAT(written(), HasSubstr("\nbelfry_startup_critical_path_seconds 0.125\n"));
}

TEST_F(StackMetricsTest, open_metrics_declares_a_counter_without_its_suffix) {
  stack.add("api");
  const std::string text = written(Exposition::open_metrics);
  EXPECT_THAT(text, HasSubstr("# TYPE belfry_service_restarts counter\n"));
  EXPECT_THAT(text, HasSubstr("\nbelfry_service_restarts_total{service=\"api\",reason=\"failure\"} 0\n"));
}

TEST_F(StackMetricsTest, the_end_of_a_certificate_is_a_moment_and_only_there_where_one_was_shown) {
  stack.add("api").certificates.push_back(
      {.probe = "ready 0 http", .expiry = std::chrono::system_clock::from_time_t(1'800'000'000)});
  stack.add("db");
  const std::string text = written();
  EXPECT_THAT(text,
              HasSubstr("belfry_probe_certificate_expiry_timestamp_seconds{service=\"api\",probe=\"ready 0 "
                        "http\"} 1800000000\n"));
  EXPECT_THAT(text, Not(HasSubstr("expiry_timestamp_seconds{service=\"db\"")));
}

TEST_F(StackMetricsTest, a_histogram_is_cumulative_and_ends_at_infinity) {
  stack.add("db");
  auto& fake = stack.fake(0);
  fake.has_times = true;
  fake.times.ready.observe(0.0625);
  fake.times.ready.observe(0.3125);
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("belfry_service_ready_seconds_bucket{service=\"db\",le=\"0.005\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("belfry_service_ready_seconds_bucket{service=\"db\",le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("belfry_service_ready_seconds_bucket{service=\"db\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("belfry_service_ready_seconds_sum{service=\"db\"} 0.375\n"));
  EXPECT_THAT(text, HasSubstr("belfry_service_ready_seconds_count{service=\"db\"} 2\n"));
}

TEST_F(StackMetricsTest, every_family_is_declared_once_and_before_its_samples) {
  stack.add("db");
  stack.add("api", State::waiting);
  std::set<std::string> declared;
  std::string current;
  for (const std::string& line : lines_of(written())) {
    if (line.starts_with("# HELP ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(declared.insert(current).second) << current;
    } else if (!line.starts_with('#')) {
      EXPECT_TRUE(line.starts_with(current)) << line;
    }
  }
}

// The walk is shared, so this holds the writing against a serializer that somebody else wrote.
TEST_F(StackMetricsTest, the_text_agrees_with_prometheus_cpp) {
  ServiceView& db = stack.add("d\"b");
  db.readiness_kind = "notify";
  stack.fake(0).has_times = true;
  stack.fake(0).times.stop.observe(1.25);
  stack.fake(0).times.probe_tried("notify", true, 0);
  stack.add("api", State::failed).counters.restarts_on_loss = 1;
  const auto samples = [](const std::string& text) {
    std::set<std::string> kept;
    for (const std::string& line : lines_of(text)) {
      if (!line.empty()) kept.insert(line);
    }
    return kept;
  };
  EXPECT_EQ(samples(written()), samples(prometheus::TextSerializer().Serialize(metrics.Collect())));
}

}  // namespace
}  // namespace belfry::daemon
