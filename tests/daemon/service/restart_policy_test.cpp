#include "daemon/service/restart_policy.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon {
namespace {

using config::RestartPolicy;
using config::ServiceType;
using namespace std::chrono_literals;

config::Service service(ServiceType type, RestartPolicy policy) {
  config::Service made;
  made.type = type;
  made.restart->policy = policy;
  return made;
}

TEST(RestartPolicy, a_daemon_that_fails_starts_again_and_one_that_ends_well_does_not) {
  const auto daemon = service(ServiceType::daemon, RestartPolicy::on_failure);
  EXPECT_EQ(after_exit(daemon, false, true), AfterExit::again);
  EXPECT_EQ(after_exit(daemon, true, true), AfterExit::completed);
}

TEST(RestartPolicy, an_exit_before_ready_is_a_failure_even_with_0) {
  EXPECT_EQ(after_exit(service(ServiceType::daemon, RestartPolicy::on_failure), true, false),
            AfterExit::again);
  EXPECT_EQ(after_exit(service(ServiceType::daemon, RestartPolicy::no), true, false), AfterExit::failed);
}

TEST(RestartPolicy, always_means_also_after_success_but_not_for_a_oneshot) {
  EXPECT_EQ(after_exit(service(ServiceType::daemon, RestartPolicy::always), true, true), AfterExit::again);
  EXPECT_EQ(after_exit(service(ServiceType::oneshot, RestartPolicy::always), true, false),
            AfterExit::completed);
}

TEST(RestartPolicy, main_is_never_restarted) {
  auto daemon = service(ServiceType::daemon, RestartPolicy::always);
  daemon.main = true;
  EXPECT_EQ(after_exit(daemon, false, true), AfterExit::failed);
  EXPECT_EQ(after_exit(daemon, true, true), AfterExit::completed);
}

TEST(RestartPolicy, the_delay_doubles_up_to_its_cap) {
  config::Restart restart;
  restart.jitter = 0;
  RestartHistory history;
  EXPECT_EQ(next_back_off(history, restart, 0.3), 100ms);
  EXPECT_EQ(next_back_off(history, restart, 0.3), 200ms);
  EXPECT_EQ(next_back_off(history, restart, 0.3), 400ms);
  for (int i = 0; i < 1000; ++i) EXPECT_LE(next_back_off(history, restart, 0.3), 30s);
  EXPECT_EQ(next_back_off(history, restart, 0.3), 30s);
}

TEST(RestartPolicy, jitter_spreads_either_way_by_its_share) {
  config::Restart restart;
  RestartHistory first, middle, last;
  EXPECT_EQ(next_back_off(first, restart, 0.0), 80ms);
  EXPECT_EQ(next_back_off(middle, restart, 0.5), 100ms);
  EXPECT_LE(next_back_off(last, restart, 0.999999), 120ms);
}

TEST(RestartPolicy, without_a_limit_there_is_none) {
  RestartHistory history;
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(limit_reached(history, config::Restart{}, TimePoint{}));
  EXPECT_TRUE(history.restarts.empty());
}

TEST(RestartPolicy, a_limit_counts_within_its_window) {
  config::Restart restart;
  restart.limit = 2;
  restart.limit_window = 1min;
  RestartHistory history;
  const TimePoint start{};
  EXPECT_FALSE(limit_reached(history, restart, start));
  EXPECT_FALSE(limit_reached(history, restart, start + 10s));
  EXPECT_TRUE(limit_reached(history, restart, start + 20s));
  EXPECT_FALSE(limit_reached(history, restart, start + 61s));
}

TEST(RestartPolicy, a_limit_without_a_window_holds_for_ever) {
  config::Restart restart;
  restart.limit = 1;
  RestartHistory history;
  EXPECT_FALSE(limit_reached(history, restart, TimePoint{}));
  EXPECT_TRUE(limit_reached(history, restart, TimePoint{} + 24h));
}

}  // namespace
}  // namespace belfry::daemon
