#include "daemon/metrics/daemon_metrics.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/support/fake_stack.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct DaemonMetricsTest : testing::Test {
  ManualClock clock;
  Loop loop{clock};
  FakeStack stack{loop};
  std::uint64_t unattributed = 0;
  TurnMeter turns;
  DaemonMetrics metrics{stack, &unattributed, &turns};

  std::string written(Exposition exposition = Exposition::text) {
    std::string out;
    metrics.write(out, exposition);
    return out;
  }
};

TEST_F(DaemonMetricsTest, requests_are_counted_by_code) {
  metrics.request_answered(200);
  metrics.request_answered(503);
  metrics.request_answered(200);
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("belfry_http_requests_total{code=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("belfry_http_requests_total{code=\"503\"} 1\n"));
}

TEST_F(DaemonMetricsTest, connections_come_and_go) {
  metrics.connection_accepted();
  metrics.connection_accepted();
  metrics.connection_closed();
  metrics.connection_shed();
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("\nbelfry_http_connections 1\n"));
  EXPECT_THAT(text, HasSubstr("\nbelfry_http_connections_total 2\n"));
  EXPECT_THAT(text, HasSubstr("\nbelfry_http_connections_shed_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nbelfry_http_connections_refused_total 0\n"));
}

TEST_F(DaemonMetricsTest, commands_are_counted_by_what_became_of_them) {
  metrics.command_ended(ServiceCommand::restart, CommandOutcome::never);
  EXPECT_THAT(written(), HasSubstr("belfry_commands_total{command=\"restart\",outcome=\"never\"} 1\n"));
}

TEST_F(DaemonMetricsTest, open_metrics_ends_with_its_mark_and_the_text_format_without) {
  EXPECT_THAT(written(Exposition::open_metrics), testing::EndsWith("\n# EOF\n"));
  EXPECT_THAT(written(), Not(HasSubstr("# EOF")));
}

TEST_F(DaemonMetricsTest, what_others_count_is_taken_over_and_not_added_up) {
  turns.begin();
  turns.end();
  unattributed = 3;
  written();
  unattributed = 4;
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("\nbelfry_notify_unattributed_total 4\n"));
  EXPECT_THAT(text, HasSubstr("\nbelfry_loop_turn_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("belfry_loop_turn_seconds_bucket{le=\"+Inf\"} 1\n"));
}

TEST_F(DaemonMetricsTest, the_process_describes_itself) {
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("belfry_build_info{version=\""));
  EXPECT_THAT(text, HasSubstr("\nprocess_open_fds "));
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
}

TEST_F(DaemonMetricsTest, every_family_of_both_writers_is_declared_once_and_before_its_samples) {
  stack.add("db");
  metrics.request_answered(200);
  std::set<std::string> declared;
  std::string current;
  std::istringstream text(written());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("# HELP ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(declared.insert(current).second) << current;
    } else if (!line.starts_with('#')) {
      EXPECT_TRUE(line.starts_with(current)) << line;
    }
  }
  EXPECT_TRUE(declared.contains("belfry_service_state"));
  EXPECT_TRUE(declared.contains("belfry_http_requests_total"));
}

}  // namespace
}  // namespace belfry::daemon
