// Edges as levels: what lets a service start, what blocks it, what it does when a level is lost.
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Edges : public Rig {
 protected:
  static void let(config::Dependency& edge, OnLoss on_loss, Duration after = 0s) {
    edge.on_loss = on_loss;
    edge.loss_after = after;
  }
};

TEST_F(Edges, a_database_that_dies_while_the_cache_warms_up_starts_nobody) {
  daemon("db");
  speaking(daemon("cache"));
  daemon("api", {"db", "cache"});
  up();
  end("db", 1);
  say_ready("cache");
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_THAT(waiting_for(service("api")), ElementsAre("db ready"));
  advance(100ms);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Edges, on_loss_is_ignored_unless_the_file_says_otherwise) {
  daemon("db");
  daemon("api", {"db"});
  up();
  end("db", 1);
  advance(1s);
  EXPECT_EQ(service("api").record().runs, 1U);
  EXPECT_EQ(service("db").record().runs, 2U);
}

TEST_F(Edges, on_loss_restart_stops_and_waits_without_back_off) {
  daemon("db");
  let(daemon("api", {"db"}).depends_on[0], OnLoss::restart);
  up();
  end("db", 1);
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_THAT(cause("api"), HasSubstr("lost db ready"));
  advance(100ms);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(service("api").counters().restarts_on_loss, 1U);
  EXPECT_EQ(service("api").counters().restarts_on_failure, 0U);
}

TEST_F(Edges, on_loss_concerns_a_dependent_that_is_still_starting) {
  daemon("db");
  let(speaking(daemon("api", {"db"})).depends_on[0], OnLoss::restart);
  up();
  ASSERT_EQ(state("api"), State::starting);
  end("db", 1);
  EXPECT_EQ(state("api"), State::waiting);
}

TEST_F(Edges, an_optional_dependency_is_waited_for_wherever_it_stands_in_the_file) {
  config::Dependency& edge = daemon("api").depends_on.emplace_back();
  edge.service = "late";
  edge.target = 1;
  edge.required = false;
  speaking(daemon("late"));
  up();
  EXPECT_EQ(state("api"), State::waiting);
  say_ready("late");
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Edges, loss_after_forgives_a_blip) {
  daemon("db");
  let(daemon("api", {"db"}).depends_on[0], OnLoss::restart, 150ms);
  up();
  end("db", 1);
  advance(120ms);  // back after 100 ms
  EXPECT_EQ(service("api").record().runs, 1U);
  end("db", 1);  // now 200 ms
  advance(149ms);
  EXPECT_EQ(state("api"), State::ready);
  advance(1ms);
  EXPECT_EQ(state("api"), State::waiting);
  advance(1s);
  EXPECT_EQ(service("api").record().runs, 2U);
}

TEST_F(Edges, what_is_not_required_can_be_lost_all_the_same) {
  daemon("cache").restart->policy = config::RestartPolicy::no;
  config::Dependency& edge = depends(daemon("api"), stack, "cache");
  edge.required = false;
  let(edge, OnLoss::stop, 300ms);
  up();
  end("cache", 1);
  EXPECT_EQ(state("cache"), State::failed);
  advance(299ms);
  EXPECT_EQ(state("api"), State::ready);
  advance(1ms);
  EXPECT_EQ(state("api"), State::inactive);
  command(ServiceCommand::start, "api");
  advance(1s);
  EXPECT_EQ(state("api"), State::ready) << "in this run it was never there";
}

TEST_F(Edges, on_loss_stop_rests_with_the_cause_until_started) {
  daemon("db");
  let(daemon("api", {"db"}).depends_on[0], OnLoss::stop);
  daemon("web", {"api"});
  up();
  end("db", 1);
  advance(1s);
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(state("api"), State::inactive);
  EXPECT_THAT(cause("api"), HasSubstr("lost db ready"));
  EXPECT_FALSE(supervisor->stack_ready());
  command(ServiceCommand::start, "api");
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Edges, an_announced_stop_is_a_level_lost) {
  daemon("db").stop.timeout = 1min;
  speaking(daemon("other"));
  daemon("api", {"db", "other"});
  script("db", {.stops_after = 30s});
  up();
  command(ServiceCommand::stop, "db");
  ASSERT_EQ(state("db"), State::stopping);
  say_ready("other");
  EXPECT_EQ(state("api"), State::waiting);
}

TEST_F(Edges, an_optional_edge_waits_until_the_other_has_settled_either_way) {
  daemon("cache").restart->policy = config::RestartPolicy::no;
  speaking(stack.services.back());
  depends(daemon("api"), stack, "cache").required = false;
  up();
  EXPECT_EQ(state("api"), State::waiting);
  end("cache", 1);
  EXPECT_EQ(state("cache"), State::failed);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Edges, an_optional_edge_pulls_nothing_in) {
  daemon("cache");
  depends(daemon("api"), stack, "cache").required = false;
  up({"api"});
  EXPECT_EQ(state("cache"), State::inactive);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_TRUE(supervisor->stack_ready()) << "what was never wanted does not count";
}

TEST_F(Edges, the_timeout_of_an_edge_bounds_the_wait) {
  speaking(daemon("db"));
  daemon("api", {"db"}).depends_on[0].timeout = 5s;
  up();
  advance(4999ms);
  EXPECT_EQ(state("api"), State::waiting);
  advance(1ms);
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_THAT(cause("api"), HasSubstr("cannot start api: waited too long for db ready"));
  EXPECT_TRUE(service("api").incarnation()->ready.ended());
}

TEST_F(Edges, a_gate_can_spare_members_that_are_late) {
  speaking(daemon("never"));
  speaking(daemon("late"));
  config::Service& any = gate("any", {"never", "late"});
  any.require.count = 1;
  any.depends_on[0].timeout = 400ms;
  config::Service& all = gate("all", {"never", "late"});
  all.depends_on[0].timeout = 400ms;
  up();
  advance(400ms);
  EXPECT_EQ(state("all"), State::failed);
  EXPECT_EQ(state("any"), State::waiting);
  say_ready("late");
  EXPECT_EQ(state("any"), State::ready);
}

TEST_F(Edges, started_holds_while_it_runs_and_stopped_when_it_ran) {
  speaking(daemon("db"));
  daemon("log", {"db"}).depends_on[0].condition = Condition::started;
  daemon("report", {"db"}).depends_on[0].condition = Condition::stopped;
  up();
  EXPECT_EQ(state("log"), State::ready);
  EXPECT_EQ(state("report"), State::waiting);
  command(ServiceCommand::stop, "db");
  EXPECT_EQ(state("report"), State::ready);
}

TEST_F(Edges, a_gate_without_dependencies_is_ready_at_once) {
  gate("go");
  daemon("api", {"go"});
  up();
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Edges, a_gate_needs_all_of_its_members_unless_it_says_otherwise) {
  speaking(daemon("a"));
  speaking(daemon("b"));
  speaking(daemon("c"));
  gate("all", {"a", "b", "c"});
  gate("any", {"a", "b", "c"}).require.count = 1;
  gate("two", {"a", "b", "c"}).require.count = 2;
  up();
  say_ready("b");
  EXPECT_EQ(state("any"), State::ready);
  EXPECT_EQ(state("two"), State::waiting);
  say_ready("c");
  EXPECT_EQ(state("two"), State::ready);
  EXPECT_EQ(state("all"), State::waiting);
  say_ready("a");
  EXPECT_EQ(state("all"), State::ready);
  end("c", 1);
  EXPECT_EQ(state("all"), State::waiting);
  EXPECT_EQ(state("two"), State::ready);
}

TEST_F(Edges, a_gate_whose_quorum_holds_does_nothing_about_the_loss_of_one_member) {
  daemon("a");
  daemon("b").restart->delay = 1h;
  config::Service& any = gate("any", {"a", "b"});
  any.require.count = 1;
  for (config::Dependency& edge : any.depends_on) edge.on_loss = OnLoss::restart;
  up();
  ASSERT_EQ(state("any"), State::ready);
  const std::uint64_t runs = service("any").record().runs;
  end("b", 1);
  EXPECT_EQ(state("any"), State::ready);
  EXPECT_EQ(service("any").record().runs, runs);
  end("a", 1);
  EXPECT_EQ(state("any"), State::waiting);
  advance(1s);
  EXPECT_EQ(state("any"), State::ready);
  EXPECT_EQ(service("any").record().runs, runs + 1);
}

TEST_F(Edges, a_gate_is_blocked_when_too_few_are_left) {
  for (const char* name : {"a", "b", "c"}) speaking(daemon(name)).restart->policy = config::RestartPolicy::no;
  gate("two", {"a", "b", "c"}).require.count = 2;
  daemon("api", {"two"});
  up();
  end("a", 1);
  EXPECT_EQ(state("two"), State::waiting);
  end("b", 1);
  EXPECT_EQ(state("two"), State::blocked);
  EXPECT_EQ(state("api"), State::blocked);
  command(ServiceCommand::start, "a");
  EXPECT_EQ(state("two"), State::waiting);
}

TEST_F(Edges, an_edge_may_ask_for_fewer_members_than_the_gate) {
  for (const char* name : {"api-1", "api-2"}) speaking(daemon(name));
  gate("api", {"api-1", "api-2"});
  daemon("proxy", {"api"}).depends_on[0].require = config::Quorum{.count = 1};
  daemon("strict", {"api"});
  up();
  say_ready("api-2");
  EXPECT_EQ(state("proxy"), State::ready);
  EXPECT_EQ(state("strict"), State::waiting);
  say_ready("api-1");
  EXPECT_EQ(state("strict"), State::ready);
}

TEST_F(Edges, such_an_edge_is_blocked_by_its_own_count) {
  for (const char* name : {"api-1", "api-2"})
    speaking(daemon(name)).restart->policy = config::RestartPolicy::no;
  gate("api", {"api-1", "api-2"});
  daemon("proxy", {"api"}).depends_on[0].require = config::Quorum{.count = 1};
  up();
  end("api-1", 1);
  EXPECT_EQ(state("api"), State::blocked);
  EXPECT_EQ(state("proxy"), State::waiting);
  end("api-2", 1);
  EXPECT_EQ(state("proxy"), State::blocked);
}

TEST_F(Edges, an_optional_edge_to_a_quorum_waits_until_that_has_settled) {
  for (const char* name : {"a", "b"}) speaking(daemon(name)).restart->policy = config::RestartPolicy::no;
  gate("any", {"a", "b"}).require.count = 1;
  config::Dependency& edge = daemon("api", {"any"}).depends_on[0];
  edge.required = false;
  edge.require = config::Quorum{.count = 0};
  up();
  say_ready("a");
  EXPECT_EQ(state("api"), State::waiting) << "b may still come";
  end("b", 1);
  EXPECT_EQ(state("api"), State::ready) << "it will not";
}

TEST_F(Edges, another_condition_on_a_gate_is_its_members) {
  for (const char* name : {"job-1", "job-2"}) speaking(daemon(name));
  gate("job", {"job-1", "job-2"});
  daemon("watch", {"job"}).depends_on[0].condition = Condition::started;
  up();
  EXPECT_EQ(state("job"), State::waiting);
  EXPECT_EQ(state("watch"), State::ready);
}

TEST_F(Edges, a_member_that_can_never_hold_blocks_whoever_asks_for_it) {
  oneshot("job-1");
  oneshot("job-2");
  gate("job", {"job-1", "job-2"});
  daemon("watch", {"job"}).depends_on[0].condition = Condition::started;
  speaking(daemon("late"));
  depends(stack.services[3], stack, "late");
  up();
  end("job-1");
  say_ready("late");
  EXPECT_EQ(state("watch"), State::blocked) << "job-1 has ended and will not be there again by itself";
}

TEST_F(Edges, an_external_is_rechecked_every_ten_seconds_and_each_ready_period_is_an_incarnation) {
  external("db");
  let(daemon("api", {"db"}).depends_on[0], OnLoss::restart);
  bool answers = false;
  probes.answer = [&](const std::string&, const config::Probe&) { return ProbeAnswer{.yes = answers}; };
  up();
  advance(1h);
  EXPECT_EQ(state("db"), State::starting) << "it never fails";
  EXPECT_EQ(state("api"), State::waiting);
  answers = true;
  advance(1s);
  EXPECT_EQ(state("api"), State::ready);
  const auto first = service("db").incarnation();
  answers = false;
  advance(12s);
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_NE(service("db").incarnation(), first);
  EXPECT_TRUE(first->stopped.ended());
  answers = true;
  advance(1s);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Edges, an_external_whose_second_bell_cannot_be_made_fails_and_leaves_no_probe_behind) {
  config::Service& db = external("db");
  config::ServiceExtras extras;
  for (const char* name : {"first", "second"}) {
    config::OwnBell& bell = extras.bells.emplace_back();
    bell.name = name;
    bell.probes.probes.push_back(
        a_probe(name == "first"s ? config::Probe::Kind::http : config::Probe::Kind::exec));
  }
  db.extras = std::make_unique<config::ServiceExtras>(std::move(extras));
  probes.cannot_make = [](const std::string&, const config::Probe& p) {
    return p.kind == config::Probe::Kind::exec;
  };
  up();
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_EQ(probes.checks_running(), 0U);
  service("db").request_start(true);  // once more: nothing of the first try is in the way
  loop.run_until_idle();
  EXPECT_EQ(state("db"), State::failed);
}

TEST_F(Edges, an_external_whose_probe_cannot_be_made_fails_instead_of_asking_for_ever) {
  external("db");
  daemon("api", {"db"});
  probes.cannot_make = [](const std::string&, const config::Probe&) { return true; };
  up();
  EXPECT_EQ(state("db"), State::failed);
  EXPECT_EQ(state("api"), State::blocked);
}

TEST_F(Edges, a_completed_oneshot_is_never_lost) {
  oneshot("migrate");
  let(daemon("api", {"migrate"}).depends_on[0], OnLoss::restart);
  up();
  end("migrate");
  ASSERT_EQ(state("api"), State::ready);
  command(ServiceCommand::start, "migrate");
  end("migrate", 1);
  EXPECT_EQ(state("migrate"), State::failed);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(service("api").record().runs, 1U);
}

}  // namespace
}  // namespace belfry::testing
