// `live` and `recheck`: what becomes of a service that was ready and is no more, and when it is asked.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "config/model/exit_codes.hpp"
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using config::OnFailure;

struct Live : Rig {
  Live() {
    probes.answer = [this](const std::string& service, const config::Probe& spec) {
      asked[service].push_back(loop.now());
      return ProbeAnswer{.yes = !down.contains(spec.target)};
    };
  }
  // Asked every second, and given up after three failures.
  config::Probe& live(config::Service& service, std::string target, OnFailure what = OnFailure::restart) {
    if (!service.live) service.live = std::make_unique<config::ProbeSet>();
    config::Probe& probe = service.live->probes.emplace_back(a_probe());
    probe.target = std::move(target);
    probe.period = 1s;
    probe.failure_threshold = 3;
    probe.on_failure = what;
    return probe;
  }
  std::uint64_t runs(std::string_view name) { return service(name).record().runs; }
  std::size_t checks(const std::string& name) { return asked[name].size(); }

  std::set<std::string> down;
  std::map<std::string, std::vector<TimePoint>> asked;
};

TEST_F(Live, fails_after_as_many_failures_in_a_row_as_it_says_and_restarts_just_its_service) {
  daemon("other");
  live(daemon("web"), "a");
  up();
  advance(10s);
  const auto before = checks("web");
  down = {"a"};
  while (checks("web") < before + 2) advance(100ms);
  EXPECT_EQ(runs("web"), 1U);
  down.clear();
  while (checks("web") < before + 3) advance(100ms);  // a success in between begins anew
  down = {"a"};
  while (checks("web") < before + 5) advance(100ms);
  EXPECT_EQ(runs("web"), 1U);
  advance(1500ms);
  EXPECT_EQ(runs("web"), 2U);
  EXPECT_EQ(runs("other"), 1U);
  EXPECT_EQ(service("web").counters().restarts_on_liveness, 1U);
}

TEST_F(Live, a_list_fails_with_any_of_it) {
  config::Service& web = daemon("web");
  live(web, "a");
  live(web, "b");
  up();
  down = {"b"};
  advance(5s);
  EXPECT_GE(runs("web"), 2U);
}

TEST_F(Live, any_of_a_list_is_enough_to_live) {
  config::Service& web = daemon("web");
  live(web, "a");
  live(web, "b");
  web.live->any = true;
  up();
  down = {"b"};
  advance(10s);
  EXPECT_EQ(runs("web"), 1U);
  down = {"a"};  // and b comes back before a is given up
  advance(10s);
  EXPECT_EQ(runs("web"), 1U);
  down = {"a", "b"};
  advance(5s);
  EXPECT_GE(runs("web"), 2U);
}

TEST_F(Live, unready_takes_the_level_away_and_brings_it_back) {
  config::Probe& probe = live(daemon("web"), "a", OnFailure::unready);
  probe.success_threshold = 2;
  daemon("api", {"web"}).depends_on[0].on_loss = OnLoss::restart;
  up();
  down = {"a"};
  advance(5s);
  EXPECT_EQ(state("web"), State::unready);
  EXPECT_EQ(cause("web"), "cannot connect: Connection refused");
  EXPECT_EQ(last_error(service("web")), "cannot connect: Connection refused");
  EXPECT_NE(state("api"), State::ready);
  down.clear();
  const auto before = checks("web");
  while (checks("web") == before) advance(100ms);
  EXPECT_EQ(state("web"), State::unready) << "one success of two";
  advance(2s);
  EXPECT_EQ(state("web"), State::ready);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(runs("web"), 1U);
}

TEST_F(Live, the_gravest_of_what_has_failed_is_done) {
  config::Service& web = daemon("web");
  live(web, "a", OnFailure::unready);
  live(web, "b", OnFailure::restart);
  up();
  down = {"a"};
  advance(5s);
  EXPECT_EQ(state("web"), State::unready);
  down = {"a", "b"};
  advance(5s);
  EXPECT_GE(runs("web"), 2U);
}

TEST_F(Live, shutdown_ends_the_stack_as_an_essential_failure_does) {
  live(daemon("web"), "a", OnFailure::shutdown);
  up();
  EXPECT_FALSE(supervisor->ending().rung());
  Listener<daemon::Ending> ending = supervisor->ending();
  this->down = {"a"};
  advance(5s);
  ASSERT_TRUE(ending.rung());
  EXPECT_EQ(ending.value().code, exit_code::unavailable);
  EXPECT_EQ(ending.value().reason, "web is not alive: cannot connect: Connection refused");
  EXPECT_EQ(state("web"), State::unready) << "it goes in its turn";
  EXPECT_EQ(runs("web"), 1U);
}

TEST_F(Live, waits_for_its_initial_delay_whatever_the_service_says) {
  live(daemon("web"), "a").initial_delay = 5s;
  up();
  for (int i = 0; i < 49; ++i) {
    advance(100ms);
    service("web").sockets_changed();
  }
  EXPECT_EQ(checks("web"), 0U);
  advance(1200ms);
  EXPECT_GE(checks("web"), 1U);
}

TEST_F(Live, an_event_of_the_service_brings_one_more_look_at_once_and_no_more_than_ten_a_second) {
  live(daemon("web"), "a").period = 100s;
  up();
  advance(1s);
  const auto before = checks("web");
  service("web").sockets_changed();
  advance(0ms);
  EXPECT_EQ(checks("web"), before + 1);
  for (int i = 0; i < 1000; ++i) {
    service("web").sockets_changed();
    advance(1ms);
  }
  EXPECT_LE(checks("web"), before + 12);
  EXPECT_GE(checks("web"), before + 10);
}

TEST_F(Live, who_speaks_comes_back_at_once_and_is_not_restarted_sooner) {
  live(daemon("web"), "a").period = 100s;
  up();
  advance(500s);
  down = {"a"};
  for (int i = 0; i < 100; ++i) {
    service("web").sockets_changed();
    advance(200ms);
  }
  EXPECT_EQ(runs("web"), 1U) << "an event is no sample";
  advance(200s);
  EXPECT_EQ(runs("web"), 1U);
  down.clear();
  const auto before = checks("web");
  service("web").said({.watchdog = daemon::WatchdogPing::alive});
  advance(0ms);
  EXPECT_EQ(checks("web"), before + 1) << "it fails, so a sign of life is a reason to look";
  advance(1s);
  service("web").said({.watchdog = daemon::WatchdogPing::alive});
  advance(0ms);
  EXPECT_EQ(checks("web"), before + 1) << "and is none when all is well";
}

TEST_F(Live, a_recheck_that_has_failed_is_asked_no_more_seldom_than_its_period) {
  config::Probe probe = a_probe();
  probe.target = "a";
  probe.recheck = 50ms;
  daemon("web").ready.probes.push_back(std::move(probe));
  up();
  advance(1h);
  down = {"a"};
  advance(1s);
  EXPECT_EQ(state("web"), State::unready);
  down.clear();
  advance(50ms);
  EXPECT_EQ(state("web"), State::ready);
}

// Each tenth of a period has about a tenth of the checks, at the beginning and an hour later.
TEST_F(Live, a_thousand_services_that_came_up_together_are_never_asked_together) {
  constexpr std::size_t services = 1000;
  stack.services.reserve(services);
  for (std::size_t i = 0; i < services; ++i) live(daemon("s" + std::to_string(i)), "a").period = 10s;
  up();
  const TimePoint began = loop.now();
  const auto most_in_a_bin = [&](TimePoint from) {
    std::array<std::size_t, 100> bins{};
    for (const auto& [name, moments] : asked)
      for (const TimePoint at : moments)
        if (at >= from && at < from + 10s) ++bins[static_cast<std::size_t>((at - from) / 100ms)];
    std::size_t all = 0;
    for (const std::size_t count : bins) all += count;
    EXPECT_GT(all, services * 9 / 10);
    EXPECT_LT(all, services * 11 / 10);
    return *std::ranges::max_element(bins);
  };
  advance(10s);
  EXPECT_LT(most_in_a_bin(began), 30U) << "10 are even, 1000 is everybody";
  for (int i = 0; i < 20; ++i) advance(10s);
  EXPECT_LT(most_in_a_bin(began + 200s), 30U);
}

// The jitter of a probe is drawn anew for each look.
TEST_F(Live, no_two_periods_of_a_service_are_the_same) {
  live(daemon("web"), "a").period = 10s;
  up();
  advance(200s);
  const auto& moments = asked["web"];
  std::set<Duration> periods;
  for (std::size_t i = 1; i < moments.size(); ++i) {
    EXPECT_GE(moments[i] - moments[i - 1], 9s);
    EXPECT_LE(moments[i] - moments[i - 1], 11s);
    periods.insert(moments[i] - moments[i - 1]);
  }
  EXPECT_EQ(periods.size(), moments.size() - 1);
}

}  // namespace
}  // namespace belfry::testing
