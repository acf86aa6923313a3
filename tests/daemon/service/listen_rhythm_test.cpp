// A probe that hears of events by itself is asked in its own rhythm, until it was true.
#include <gtest/gtest.h>

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using namespace std::chrono_literals;

struct ListenRhythmTest : Rig {
  ListenRhythmTest() {
    probes.answer = [this](const std::string&, const config::Probe&) { return ProbeAnswer{.yes = listens}; };
    // As a `port` probe behind a notifier: not before an event, then at once, after 1 ms, 2 ms, and no more.
    probes.next_look = [this](std::uint32_t looks) -> std::optional<Duration> {
      seen.push_back(looks);
      if (looks == 0 || looks > 3) return Duration::max();
      return looks == 1 ? 0ms : (looks - 1) * 1ms;
    };
  }
  void pass(Duration time) {
    loop.advance(time);
    loop.run_until_idle();
  }
  Service& web() { return supervisor->at(0); }
  bool listens = false;
  std::vector<std::uint32_t> seen;
};

TEST_F(ListenRhythmTest, it_is_asked_once_and_then_not_before_an_event) {
  daemon("web").ready.probes.push_back(a_probe());
  up();
  EXPECT_EQ(probes.checks(), 1U);
  pass(1h);
  EXPECT_EQ(probes.checks(), 1U);
  listens = true;
  web().sockets_changed();
  loop.run_until_idle();
  EXPECT_EQ(web().state(), State::ready);
  EXPECT_EQ(probes.checks(), 2U);
}

TEST_F(ListenRhythmTest, a_call_that_takes_longer_is_looked_at_again_and_not_for_ever) {
  daemon("web").ready.probes.push_back(a_probe());
  up();
  web().sockets_changed();
  loop.run_until_idle();
  EXPECT_EQ(probes.checks(), 3U);  // at once, and in the next turn
  pass(1ms);
  EXPECT_EQ(probes.checks(), 4U);
  pass(2ms);
  EXPECT_EQ(probes.checks(), 5U);
  pass(1h);
  EXPECT_EQ(probes.checks(), 5U);
  web().sockets_changed();
  loop.run_until_idle();
  EXPECT_EQ(probes.checks(), 7U);  // a new event begins anew
  listens = true;
  pass(1ms);
  EXPECT_EQ(web().state(), State::ready);
}

TEST_F(ListenRhythmTest, a_given_period_is_kept_beside_the_events) {
  config::Probe probe = a_probe();
  probe.period = 1s;
  daemon("web").ready.probes.push_back(std::move(probe));
  up();
  pass(3500ms);
  EXPECT_EQ(probes.checks(), 4U);
  web().sockets_changed();
  loop.run_until_idle();
  EXPECT_EQ(probes.checks(), 6U);  // as often as without one
  listens = true;
  pass(1ms);
  EXPECT_EQ(web().state(), State::ready);
}

TEST_F(ListenRhythmTest, no_event_makes_the_first_attempt_come_before_the_initial_delay) {
  config::Probe probe = a_probe();
  probe.initial_delay = 5s;
  daemon("web").ready.probes.push_back(std::move(probe));
  up();
  web().sockets_changed();
  pass(4s);
  web().sockets_changed();
  pass(500ms);
  EXPECT_EQ(probes.checks(), 0U);
  listens = true;
  pass(500ms);
  EXPECT_EQ(web().state(), State::ready);
}

TEST_F(ListenRhythmTest, the_initial_delay_is_the_first_attempts_only) {
  config::Probe probe = a_probe();
  probe.recheck = 10s;
  daemon("web").ready.probes.push_back(std::move(probe));
  up();
  listens = true;
  web().sockets_changed();
  pass(1ms);
  ASSERT_EQ(web().state(), State::ready);
  const auto before = probes.checks();
  while (probes.checks() == before) pass(100ms);  // the first one comes at any moment of the period
  pass(7s);                                       // a recheck is jittered by a fifth
  EXPECT_EQ(probes.checks(), before + 1);
  pass(5s);
  EXPECT_EQ(probes.checks(), before + 2);
}

TEST_F(ListenRhythmTest, several_successes_in_a_row_come_by_the_schedule) {
  config::Probe probe = a_probe();
  probe.success_threshold = 3;
  daemon("web").ready.probes.push_back(std::move(probe));
  up();
  listens = true;
  web().sockets_changed();
  loop.run_until_idle();
  EXPECT_EQ(web().state(), State::starting);
  pass(10ms);
  EXPECT_EQ(web().state(), State::ready);
}

TEST_F(ListenRhythmTest, what_was_true_once_is_looked_for_by_the_schedule) {
  config::Probe probe = a_probe();
  probe.recheck = 1s;
  daemon("web").ready.probes.push_back(std::move(probe));
  listens = true;
  up();
  ASSERT_EQ(web().state(), State::ready);
  listens = false;
  pass(2s);
  ASSERT_EQ(web().state(), State::unready);
  listens = true;
  pass(2s);  // no event comes
  EXPECT_EQ(web().state(), State::ready);
}

}  // namespace
}  // namespace belfry::testing
