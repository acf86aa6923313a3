// What is due because of what one run has said.
#include "daemon/service/notify_state.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace belfry::testing {
namespace {

using daemon::Moment;
using namespace std::chrono_literals;

const TimePoint noon{12h};

daemon::NotifyState watched() {
  daemon::NotifyState state;
  state.set_watchdog(10s, {.at = noon});
  return state;
}

TEST(NotifyStateOfARun, silence_counts_from_the_bell_and_from_the_last_ping) {
  daemon::NotifyState state = watched();
  EXPECT_EQ(state.watchdog_due({}, {.at = noon}), TimePoint::max()) << "it is not ready yet";
  EXPECT_EQ(state.watchdog_due(noon + 5s, {.at = noon + 5s}), noon + 15s);
  state.ping({.at = noon + 8s});
  EXPECT_EQ(state.watchdog_due(noon + 5s, {.at = noon + 8s}), noon + 18s);
}

TEST(NotifyStateOfARun, a_pause_of_belfry_is_no_silence_of_the_service) {
  daemon::NotifyState state = watched();
  state.ping({.at = noon, .paused = 1s});
  EXPECT_EQ(state.watchdog_due(noon, {.at = noon + 5s, .paused = 4s}), noon + 13s);
}

TEST(NotifyStateOfARun, without_an_interval_it_may_be_silent_for_ever) {
  daemon::NotifyState state;
  EXPECT_EQ(state.watchdog_due(noon, {.at = noon}), TimePoint::max());
}

TEST(NotifyStateOfARun, a_reload_is_due_within_the_ready_timeout_or_later_if_it_asked_for_that) {
  daemon::NotifyState state;
  state.begin_reload({}, {.at = noon});
  EXPECT_EQ(state.reload_due({}, {.at = noon}), TimePoint::max());
  EXPECT_EQ(state.reload_due(5s, {.at = noon}), noon + 5s);
  state.extend(noon + 9s);
  EXPECT_EQ(state.reload_due(5s, {.at = noon}), noon + 9s);
  EXPECT_TRUE(state.end_reload());
  EXPECT_EQ(state.reload_due(5s, {.at = noon}), TimePoint::max());
  EXPECT_FALSE(state.end_reload()) << "none is running";
}

TEST(NotifyStateOfARun, a_reload_cannot_have_begun_in_the_future) {
  daemon::NotifyState state;
  state.begin_reload(noon + 1h, {.at = noon});
  EXPECT_EQ(state.reload().began_at, noon);
}

TEST(NotifyStateOfARun, one_that_is_overdue_takes_readiness_back_until_it_has_ended) {
  daemon::NotifyState state;
  state.begin_reload({}, {.at = noon});
  state.reload_is_overdue();
  EXPECT_TRUE(state.takes_itself_back());
  EXPECT_EQ(state.why_unready("db", 5s).text(), "db has said RELOADING=1, and not READY=1 within 5000 ms");
  state.end_reload();
  EXPECT_FALSE(state.takes_itself_back());
}

TEST(NotifyStateOfARun, stopping_is_not_taken_back) {
  daemon::NotifyState state;
  state.stop();
  EXPECT_TRUE(state.takes_itself_back());
  EXPECT_EQ(state.why_unready("db", {}).text(), "db has said STOPPING=1");
}

TEST(NotifyStateOfARun, a_new_phase_begins_without_extra_time) {
  daemon::NotifyState state;
  state.extend(noon + 9s);
  state.begin_phase();
  EXPECT_LT(state.extended_until(), noon);
}

}  // namespace
}  // namespace belfry::testing
