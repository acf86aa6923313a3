// Own bells: milestones of a run beside `ready`.
#include "daemon/service/own_bells.hpp"

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

class OwnBells : public Rig {
 public:
  // A service with a bell that rings when a probe named after it says yes, and one that needs it.
  config::Service& ringing(std::string name, const std::string& bell) {
    config::Service& made = daemon(std::move(name));
    add_bell(made, bell, a_probe());
    return made;
  }
  static void add_bell(config::Service& service, const std::string& bell, config::Probe probe) {
    if (!service.extras) service.extras = std::make_unique<config::ServiceExtras>();
    config::OwnBell own;
    own.name = bell;
    probe.target = bell;
    own.probes.probes.push_back(std::move(probe));
    service.extras->bells.push_back(std::move(own));
  }
  config::Dependency& needs(config::Service& dependent, std::string_view on, std::string bell) {
    config::Dependency& made = depends(dependent, stack, on);
    made.condition = Condition::own_bell;
    made.bell = std::move(bell);
    return made;
  }
  void answer_with(const bool& yes) {
    probes.answer = [&yes](const std::string&, const config::Probe&) {
      return ProbeAnswer{.yes = yes, .takes = {}};
    };
  }
};

TEST_F(OwnBells, a_dependent_starts_when_the_bell_rings_and_not_when_the_service_is_ready) {
  bool booted = false;
  answer_with(booted);
  ringing("api", "booted");
  needs(daemon("web"), "api", "booted");
  up();
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(state("web"), State::waiting);
  EXPECT_EQ(waiting_for(service("web")), std::vector{"api booted"s});
  booted = true;
  advance(1s);
  EXPECT_TRUE(service("api").readiness()->has_rung(0));
  EXPECT_EQ(state("web"), State::ready);
}

TEST_F(OwnBells, a_bell_that_has_rung_is_asked_no_more) {
  ringing("api", "booted");
  up();
  advance(1s);
  const auto checks = probes.checks();
  EXPECT_GT(checks, 0U);
  advance(60s);
  EXPECT_EQ(probes.checks(), checks);
}

TEST_F(OwnBells, a_bell_does_not_hold_for_the_next_run) {
  bool booted = true;
  answer_with(booted);
  ringing("api", "booted");
  needs(daemon("web"), "api", "booted");
  up();
  advance(1s);
  ASSERT_EQ(state("web"), State::ready);
  booted = false;
  end("api", 1);
  advance(1s);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_FALSE(service("api").level(Condition::own_bell, "booted"));
  EXPECT_EQ(state("web"), State::ready);  // on_loss: ignore
}

TEST_F(OwnBells, a_lost_bell_restarts_the_dependent_that_asks_for_it) {
  ringing("api", "booted");
  needs(daemon("web"), "api", "booted").on_loss = OnLoss::restart;
  up();
  advance(1s);
  ASSERT_EQ(state("web"), State::ready);
  end("api", 1);
  advance(5s);
  EXPECT_EQ(state("web"), State::ready);
  EXPECT_EQ(service("web").record().runs, 2U);
}

TEST_F(OwnBells, a_bell_that_has_not_rung_by_the_end_of_the_run_never_will) {
  bool booted = false;
  answer_with(booted);
  ringing("api", "booted").restart->policy = config::RestartPolicy::no;
  needs(daemon("web"), "api", "booted");
  up();
  const daemon::SharedIncarnation run = service("api").incarnation();
  end("api", 1);
  EXPECT_TRUE(run->own("booted").ended());
  EXPECT_FALSE(run->own("booted").rung());
  EXPECT_EQ(state("web"), State::blocked);
}

TEST_F(OwnBells, a_oneshot_that_rang_and_completed_lets_its_dependents_start) {
  ringing("seed", "half").type = ServiceType::oneshot;
  config::Service& web = daemon("web");
  needs(web, "seed", "half");
  up();
  advance(1s);
  ASSERT_TRUE(service("seed").readiness()->has_rung(0));
  end("seed", 0);
  EXPECT_TRUE(service("seed").level(Condition::own_bell, "half"));
  EXPECT_EQ(state("web"), State::ready);
}

TEST_F(OwnBells, ready_1_rings_those_that_wait_for_a_notification) {
  config::Service& api = speaking(daemon("api"));
  add_bell(api, "said", a_probe(config::Probe::Kind::notify));
  up();
  EXPECT_FALSE(service("api").readiness()->has_rung(0));
  say_ready("api");
  EXPECT_TRUE(service("api").readiness()->has_rung(0));
}

TEST_F(OwnBells, a_stop_cancels_its_checks_within_the_turn) {
  probes.answer = [](const std::string&, const config::Probe&) {
    return ProbeAnswer{.yes = true, .takes = 1s};
  };
  ringing("api", "booted");
  up();
  advance(10ms);
  ASSERT_EQ(probes.checks_running(), 1U);
  down();
  EXPECT_EQ(probes.checks_running(), 0U);
  EXPECT_EQ(state("api"), State::inactive);
}

TEST_F(OwnBells, a_wait_for_a_bell_is_answered_when_it_rings_or_never_will) {
  bool booted = false;
  answer_with(booted);
  ringing("api", "booted").restart->policy = config::RestartPolicy::no;
  add_bell(stack.services[0], "warm", a_probe(config::Probe::Kind::notify));
  up();
  auto& booting = wait_for("api", Condition::own_bell, "booted");
  auto& warming = wait_for("api", Condition::own_bell, "warm");
  EXPECT_FALSE(booting.waited);
  booted = true;
  advance(1s);
  ASSERT_TRUE(booting.waited);
  EXPECT_TRUE(booting.waited->has_value());
  end("api", 1);
  ASSERT_TRUE(warming.waited);
  EXPECT_EQ(warming.waited->error().text(), "api is failed: api exited with code 1");
}

TEST_F(OwnBells, replicas_are_asked_for_the_bell_of_each) {
  bool booted = false;
  answer_with(booted);
  ringing("api-1", "booted");
  ringing("api-2", "booted");
  gate("api", {"api-1", "api-2"});
  needs(daemon("web"), "api", "booted");
  up();
  EXPECT_EQ(state("web"), State::waiting);
  booted = true;
  advance(1s);
  EXPECT_EQ(state("web"), State::ready);
}

}  // namespace
}  // namespace belfry::testing
