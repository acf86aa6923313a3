// When a probe is asked next.
#include "daemon/service/probe_rhythm.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

struct Silent final : probes::Probe {
  Task<probes::CheckResult> check(Context&) override { co_return probes::CheckResult{}; }
};

TEST(ProbeRhythm, what_an_attempt_takes_is_not_added_to_the_pause) {
  const Silent probe;
  const TimePoint start{};
  ProbeRhythm rhythm({.options = {}, .recheck = {}, .started_at = start}, start);
  rhythm.begin_attempt(start + 1s);
  (void)rhythm.answered(false);
  // 1 s after the start a fiftieth is 20 ms.
  EXPECT_EQ(rhythm.due(start + 1s, probe), start + 1s + 20ms);
  EXPECT_LE(rhythm.due(start + 1s + 15ms, probe), start + 1s + 21ms);
  EXPECT_EQ(rhythm.due(start + 1s + 300ms, probe), start + 1s + 300ms);
}

}  // namespace
}  // namespace belfry::daemon
