// Times as long as a file may give them: a deadline that is far away has not passed.
#include "daemon/service/restart_policy.hpp"
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

constexpr Duration for_ever = Duration::max();
constexpr Duration a_century = std::chrono::hours(24 * 365 * 100);

class FarTimes : public ::testing::WithParamInterface<Duration>, public Rig {
 protected:
  static Duration far() { return GetParam(); }
  void pass_a_day() { advance(24h); }
};

INSTANTIATE_TEST_SUITE_P(, FarTimes, ::testing::Values(48h, a_century, for_ever), [](const auto& info) {
  return info.param == for_ever ? "all_time" : info.param == a_century ? "a_century" : "two_days";
});

TEST_P(FarTimes, a_stop_waits_for_who_may_take_so_long) {
  daemon("db").stop.timeout = far();
  script("db", {.stops_after = std::nullopt});
  up();
  Asked& stop = command(ServiceCommand::stop, "db");
  pass_a_day();
  EXPECT_FALSE(stop.result.has_value());
  EXPECT_TRUE(processes.alive("db"));
  EXPECT_TRUE(chronicle.notices.empty()) << chronicle.notices.front();
}

TEST_P(FarTimes, a_shutdown_with_such_a_budget_kills_nobody_early) {
  daemon("db").stop.timeout = far();
  daemon("api", {"db"}).stop.timeout = far();
  script("api", {.stops_after = 12h});
  script("db", {.stops_after = 12h});
  up();
  supervisor->stop_everything(saturating_add(loop.now(), far()), Error::closed("down"));
  loop.run_until_idle();
  pass_a_day();
  EXPECT_TRUE(supervisor->is_at_rest());
  EXPECT_TRUE(chronicle.notices.empty()) << chronicle.notices.front();
}

TEST_P(FarTimes, who_cleans_up_has_twice_as_much) {
  config::Service& db = daemon("db");
  db.stop.timeout = far();
  db.extras = std::make_unique<config::ServiceExtras>();
  db.extras->post_stop = {"./clean"};
  up();
  EXPECT_GE(service("db").stop_allowance(), far());
  down();
  loop.run_until_idle();
}

TEST_P(FarTimes, a_start_with_so_much_time_has_not_failed) {
  config::Service& db = speaking(daemon("db"));
  db.ready.probes.front().timeout = far();
  up();
  pass_a_day();
  EXPECT_EQ(state("db"), State::starting);
}

TEST_P(FarTimes, an_edge_waits_as_long) {
  speaking(daemon("db"));
  daemon("api", {"db"}).depends_on.front().timeout = far();
  up();
  pass_a_day();
  EXPECT_EQ(state("api"), State::waiting);
}

TEST_P(FarTimes, a_loss_that_must_last_so_long_does_nothing_yet) {
  speaking(daemon("db"));
  config::Dependency& edge = daemon("api", {"db"}).depends_on.front();
  edge.on_loss = OnLoss::restart;
  edge.loss_after = far();
  up();
  say_ready("db");
  ASSERT_EQ(state("api"), State::ready);
  service("db").said({.stopping = true});
  pass_a_day();
  EXPECT_EQ(state("api"), State::ready);
}

TEST_P(FarTimes, a_back_off_so_long_is_waited_out) {
  config::Service& db = daemon("db");
  db.restart->delay = db.restart->max_delay = far();
  up();
  end("db", 1);
  pass_a_day();
  EXPECT_EQ(state("db"), State::backoff);
}

TEST_P(FarTimes, a_watchdog_so_long_does_not_bite) {
  config::Service& db = daemon("db");
  db.extras = std::make_unique<config::ServiceExtras>();
  db.extras->watchdog = far();
  up();
  pass_a_day();
  EXPECT_EQ(state("db"), State::ready);
  service("db").said({.watchdog_interval = far()});
  pass_a_day();
  EXPECT_EQ(state("db"), State::ready);
}

TEST_P(FarTimes, who_asks_for_so_much_time_gets_it) {
  config::Service& db = speaking(daemon("db"));
  db.ready.probes.front().timeout = 1s;
  up();
  service("db").said({.extend_timeout = far()});
  pass_a_day();
  EXPECT_EQ(state("db"), State::starting);
}

TEST_P(FarTimes, a_hook_may_take_as_long_as_its_phase) {
  config::Service& db = daemon("db");
  db.stop.timeout = far();
  db.extras = std::make_unique<config::ServiceExtras>();
  db.extras->pre_stop = {"./drain"};
  db.extras->post_stop = {"./clean"};
  processes.script = [](const RunId& id) {
    return id.command == "./drain" || id.command == "./clean" ? ProcessScript{.exits_after = 10h}
                                                              : ProcessScript{};
  };
  up();
  command(ServiceCommand::stop, "db");
  pass_a_day();
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_TRUE(chronicle.notices.empty()) << chronicle.notices.front();
}

TEST_P(FarTimes, a_first_look_so_late_is_not_made) {
  config::Service& db = daemon("db");
  db.ready.probes.push_back(a_probe());
  db.ready.probes.front().initial_delay = far();
  up();
  pass_a_day();
  EXPECT_EQ(state("db"), State::starting);
}

TEST(RestartPolicy, jitter_does_not_carry_the_longest_wait_round) {
  config::Restart restart;
  restart.delay = restart.max_delay = for_ever;
  restart.jitter = 1;
  daemon::RestartHistory history;
  EXPECT_EQ(next_back_off(history, restart, 0.999), for_ever);
}

}  // namespace
}  // namespace belfry::testing
