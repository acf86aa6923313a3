// A changed file is taken over: who stops, who stays, who starts, and what everybody else notices.
#include <algorithm>
#include <memory>
#include <optional>

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::ElementsAre;

class Exchange : public Rig {
 protected:
  // What the file says next: services are added to it as to `stack`.
  config::Stack next = a_stack();

  config::Service& then(std::string name, std::initializer_list<const char*> on = {},
                        ServiceType type = ServiceType::daemon) {
    config::Service& made = a_service(next, std::move(name), type);
    for (const char* other : on) depends(made, next, other);
    return made;
  }
  daemon::NewStack made_next() {
    daemon::NewStack made{.stack = std::move(next), .difference = {}, .warnings = {}};
    next = a_stack();
    made.difference = config::difference(stack, supervisor->specs(), made.stack);
    EXPECT_TRUE(made.difference.refusals().empty());
    return made;
  }
  struct Asked {
    explicit Asked(Loop& loop) : context(loop) {}
    Context context;
    std::optional<Result<daemon::Touched>> result;
  };
  // Begins one, and lets happen what happens at once.
  Asked& reload() {
    Asked& asked = reloads_.emplace_back(loop);
    spawn(requests, "reload", exchange(asked, made_next()));
    loop.run_until_idle();
    return asked;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const std::size_t index : supervisor->shown()) all.emplace_back(supervisor->at(index).name());
    return all;
  }
  std::uint64_t runs(std::string_view name) { return service(name).record().runs; }
  void leave() {
    down();
    advance(3s);
    spawn(requests, "end", supervisor->end());
    loop.run_until_idle();
    EXPECT_TRUE(supervisor->is_at_rest());
    EXPECT_EQ(processes.alive(), 0U);
    EXPECT_TRUE(resources.held().empty());
    EXPECT_EQ(loop.tasks(), 0U);
  }

 private:
  Task<void> exchange(Asked& asked, daemon::NewStack stack_then) {
    asked.result = co_await supervisor->exchange(asked.context, std::move(stack_then));
  }
  std::deque<Asked> reloads_;
};

TEST_F(Exchange, who_is_unchanged_keeps_its_run_and_its_bells) {
  daemon("db");
  daemon("api", {"db"});
  up();
  const auto before = service("db").incarnation();
  then("db");
  then("api", {"db"}).command = {"./api", "--new"};
  const Asked& asked = reload();
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->stops, ElementsAre("api"));
  EXPECT_THAT((*asked.result)->starts, ElementsAre("api"));
  EXPECT_EQ(service("db").incarnation(), before);
  EXPECT_EQ(runs("api"), 2U);
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(resources.commands["api"], "./api");
  leave();
}

TEST_F(Exchange, dependents_stop_first_and_nobody_starts_before_all_have_stopped) {
  daemon("db");
  daemon("api", {"db"});
  script("api", {.stops_after = 1s});
  script("db", {.stops_after = 1s});
  up();
  then("db").command = {"./db", "2"};
  then("api", {"db"});
  const Asked& asked = reload();
  EXPECT_EQ(when("SIGTERM db#1"), -1);
  advance(1s);
  EXPECT_LT(when("gone api#1"), when("SIGTERM db#1"));
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_FALSE(asked.result);
  advance(1s);
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->stops, ElementsAre("api", "db"));
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(state("api"), State::ready);
  leave();
}

TEST_F(Exchange, what_can_be_changed_in_place_stops_nobody) {
  daemon("db");
  daemon("other");
  daemon("api", {"db"});
  up();
  then("db").stop.timeout = 3s;
  then("other");
  then("api", {"other"}).restart->delay = 7s;
  const Asked& asked = reload();
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_TRUE((*asked.result)->stops.empty());
  EXPECT_EQ(runs("api"), 1U);
  end("api", 1);
  EXPECT_EQ(state("api"), State::backoff);
  advance(6s);
  EXPECT_EQ(state("api"), State::backoff);
  advance(1s);
  EXPECT_EQ(state("api"), State::ready);
  leave();
}

TEST_F(Exchange, new_edges_order_the_next_stop) {
  daemon("db");
  daemon("api");
  script("api", {.stops_after = 1s});
  up();
  then("db");
  then("api", {"db"});
  reload();
  down();
  EXPECT_EQ(when("SIGTERM db#1"), -1);
  advance(1s);
  EXPECT_LT(when("gone api#1"), when("SIGTERM db#1"));
}

TEST_F(Exchange, who_is_new_starts_and_stands_in_the_order_of_the_file) {
  daemon("b");
  up();
  then("a");
  then("b");
  then("c", {"a"});
  const Asked& asked = reload();
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->starts, ElementsAre("a", "c"));
  EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(state("c"), State::ready);
  EXPECT_TRUE(supervisor->stack_ready());
  leave();
}

TEST_F(Exchange, who_has_gone_is_found_by_nobody_and_counts_for_nothing) {
  daemon("gone").essential = true;
  speaking(daemon("never"));
  daemon("b");
  up();
  EXPECT_FALSE(supervisor->stack_ready());
  Rig::Asked& waits = wait_for("never", Condition::ready);
  then("b");
  reload();
  EXPECT_FALSE(supervisor->find("gone"));
  EXPECT_FALSE(supervisor->find("never"));
  EXPECT_THAT(names(), ElementsAre("b"));
  EXPECT_TRUE(supervisor->stack_ready());
  ASSERT_TRUE(waits.waited);
  EXPECT_FALSE(*waits.waited);
  EXPECT_EQ(processes.alive(), 1U);
  EXPECT_FALSE(supervisor->ending().ended());
  leave();
}

TEST_F(Exchange, who_comes_back_is_another_service) {
  daemon("a");
  daemon("b");
  up();
  for (int turn = 0; turn < 3; ++turn) {
    then("b");
    reload();
    then("a");
    then("b");
    reload();
    EXPECT_EQ(state("a"), State::ready);
    EXPECT_EQ(runs("a"), 1U);
  }
  EXPECT_EQ(runs("b"), 1U);
  leave();
}

TEST_F(Exchange, who_waits_is_freed_by_an_edge_that_goes) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  up();
  ASSERT_EQ(state("api"), State::waiting);
  then("db").ready.probes.push_back(a_probe(config::Probe::Kind::notify));
  then("api");
  reload();
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(state("db"), State::starting);
  leave();
}

TEST_F(Exchange, who_waits_and_has_changed_starts_as_the_new_file_says) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  up();
  then("db").ready.probes.push_back(a_probe(config::Probe::Kind::notify));
  then("api", {"db"}).command = {"./other"};
  reload();
  say_ready("db");
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(resources.commands["api"], "./other");
  EXPECT_EQ(runs("api"), 1U);
  leave();
}

TEST_F(Exchange, who_backs_off_or_has_failed_is_tried_at_once) {
  daemon("crashes").restart->delay = 1h;
  daemon("failed").restart->policy = config::RestartPolicy::no;
  daemon("b");
  up();
  end("crashes", 1);
  end("failed", 1);
  ASSERT_EQ(state("crashes"), State::backoff);
  ASSERT_EQ(state("failed"), State::failed);
  then("crashes").restart->delay = 2h;
  then("failed").command = {"./better"};
  then("b");
  reload();
  EXPECT_EQ(state("crashes"), State::ready);
  EXPECT_EQ(state("failed"), State::ready);
  leave();
}

TEST_F(Exchange, an_essential_service_that_it_repairs_does_not_take_the_stack_down) {
  daemon("root").restart->policy = config::RestartPolicy::no;
  daemon("api", {"root"});
  daemon("b");
  up();
  end("root", 1);
  ASSERT_EQ(state("root"), State::failed);
  end("api", 1);
  loop.run_until_idle();
  advance(1min);
  ASSERT_EQ(state("api"), State::blocked);
  then("root").essential = true;
  then("api", {"root"}).essential = true;
  then("b");
  reload();
  EXPECT_FALSE(supervisor->ending().ended());
  EXPECT_EQ(state("root"), State::ready);
  EXPECT_EQ(state("api"), State::ready);
  leave();
}

TEST_F(Exchange, an_essential_service_that_stays_failed_takes_the_stack_down) {
  daemon("bad").restart->policy = config::RestartPolicy::no;
  daemon("b");
  up();
  resources.refuse = [](const config::Service& spec, std::uint64_t) -> Result<void> {
    if (spec.name != "bad") return {};
    return std::unexpected(Error::failed("no"));
  };
  end("bad", 1);
  ASSERT_EQ(state("bad"), State::failed);
  then("bad").essential = true;
  next.services.back().restart->policy = config::RestartPolicy::no;
  then("b");
  reload();
  EXPECT_TRUE(supervisor->ending().ended());
}

TEST_F(Exchange, a_oneshot_that_is_done_is_not_run_again_nor_who_needed_it) {
  oneshot("migrate");
  daemon("api", {"migrate"});
  up();
  end("migrate");
  ASSERT_EQ(state("api"), State::ready);
  then("migrate", {}, ServiceType::oneshot).command = {"./migrate", "more"};
  next.services.back().restart->policy = config::RestartPolicy::no;
  then("api", {"migrate"});
  const Asked& asked = reload();
  EXPECT_TRUE((*asked.result)->stops.empty());
  EXPECT_EQ(runs("migrate"), 1U);
  EXPECT_EQ(runs("api"), 1U);
  leave();
}

TEST_F(Exchange, a_oneshot_that_is_done_and_is_a_daemon_now_is_started) {
  oneshot("m");
  daemon("b");
  up();
  end("m");
  ASSERT_EQ(state("m"), State::completed);
  then("m");
  then("b");
  const Asked& asked = reload();
  EXPECT_THAT((*asked.result)->starts, ElementsAre("m"));
  EXPECT_EQ(state("m"), State::ready);
  EXPECT_TRUE(supervisor->stack_ready());
  leave();
}

TEST_F(Exchange, who_was_started_by_command_gets_what_it_requires_now) {
  daemon("a");
  daemon("b");
  daemon("was_there");
  up({"a"});
  command(ServiceCommand::start, "b");
  ASSERT_EQ(state("b"), State::ready);
  const auto file = [this] {
    then("a");
    then("was_there");
    then("new");
    then("nobodys");
    then("b", {"was_there", "new"}).command = {"./other"};
  };
  file();
  const daemon::Touched said = supervisor->whom_it_touches(made_next());
  file();
  const Asked& asked = reload();
  EXPECT_THAT((*asked.result)->starts, ElementsAre("was_there", "new", "b"));
  EXPECT_EQ(said.starts, (*asked.result)->starts);
  EXPECT_EQ(state("b"), State::ready);
  EXPECT_EQ(state("nobodys"), State::inactive);
  EXPECT_TRUE(supervisor->stack_ready());
  leave();
}

TEST_F(Exchange, who_was_stopped_by_command_stays_so) {
  daemon("a");
  daemon("b");
  up();
  command(ServiceCommand::stop, "a");
  then("a").command = {"./new"};
  then("b");
  reload();
  EXPECT_EQ(state("a"), State::inactive);
  command(ServiceCommand::start, "a");
  EXPECT_EQ(resources.commands["a"], "./new");
  leave();
}

TEST_F(Exchange, who_stops_by_command_meanwhile_does_not_come_back) {
  daemon("a");
  daemon("b");
  script("a", {.stops_after = 1s});
  up();
  then("a").command = {"./new"};
  then("b");
  const Asked& asked = reload();
  ask_later(ServiceCommand::stop, "a");
  loop.run_until_idle();
  advance(1s);
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_EQ(state("a"), State::inactive);
  leave();
}

TEST_F(Exchange, a_gate_counts_its_new_members) {
  daemon("a");
  gate("all", {"a"});
  daemon("api", {"all"});
  up();
  then("a");
  then("b").ready.probes.push_back(a_probe(config::Probe::Kind::notify));
  then("all", {"a", "b"}, ServiceType::gate);
  then("api", {"all"});
  reload();
  EXPECT_FALSE(supervisor->stack_ready());
  say_ready("b");
  EXPECT_TRUE(supervisor->stack_ready());
  EXPECT_EQ(runs("a"), 1U);
  leave();
}

TEST_F(Exchange, a_gate_that_loses_a_member_of_the_file_touches_nobody_else) {
  const auto members = [this](std::initializer_list<const char*> names) {
    for (const char* name : names) then(name);
    then("all", names, ServiceType::gate);
    then("web", {"all"});
    then("cares", {"all"}).depends_on[0].on_loss = OnLoss::restart;
  };
  for (const char* name : {"a", "b", "c"}) daemon(name);
  gate("all", {"a", "b", "c"});
  daemon("web", {"all"});
  daemon("cares", {"all"}).depends_on[0].on_loss = OnLoss::restart;
  script("c", {.stops_after = 1s});
  up();
  members({"a", "b"});
  const daemon::Touched said = supervisor->whom_it_touches(made_next());
  members({"a", "b"});
  const Asked& asked = reload();
  EXPECT_EQ(state("all"), State::ready);
  advance(1s);
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->stops, ElementsAre("c"));
  EXPECT_EQ(said.stops, (*asked.result)->stops);
  EXPECT_EQ(said.starts, (*asked.result)->starts);
  EXPECT_EQ(runs("all"), 1U);
  EXPECT_EQ(runs("web"), 1U);
  EXPECT_EQ(runs("cares"), 1U);
  end("b", 1);  // by the members that it has now
  EXPECT_EQ(runs("cares"), 1U);
  EXPECT_NE(state("cares"), State::ready);
  leave();
}

TEST_F(Exchange, nobody_starts_by_a_gate_that_is_about_to_lose_a_member) {
  daemon("a");
  daemon("b");
  script("b", {.stops_after = 1s});
  gate("all", {"a", "b"});
  gate("outer", {"all"});
  daemon("late", {"outer"});
  up({"outer"});
  then("a");
  then("all", {"a"}, ServiceType::gate);
  then("outer", {"all"}, ServiceType::gate);
  then("late", {"outer"});
  reload();
  ask_later(ServiceCommand::start, "late");
  loop.run_until_idle();
  EXPECT_EQ(state("all"), State::ready);
  EXPECT_EQ(state("late"), State::waiting);
  advance(1s);
  EXPECT_EQ(state("late"), State::ready);
  leave();
}

TEST_F(Exchange, a_gate_that_waits_for_who_goes_lets_nobody_start_before_the_exchange) {
  daemon("a");
  speaking(daemon("b"));
  script("b", {.stops_after = 1s});
  gate("all", {"a", "b"});
  daemon("web", {"all"});
  up();
  ASSERT_EQ(state("web"), State::waiting);
  then("a");
  then("all", {"a"}, ServiceType::gate);
  then("web", {"all"});
  reload();
  EXPECT_EQ(state("web"), State::waiting);
  advance(1s);
  EXPECT_EQ(state("web"), State::ready);
  leave();
}

TEST_F(Exchange, new_members_of_a_gate_are_no_loss_before_they_were_there) {
  daemon("a");
  gate("all", {"a"});
  daemon("cares", {"all"}).depends_on[0].on_loss = OnLoss::restart;
  up();
  const auto file = [this] {
    then("a");
    speaking(then("b"));
    then("all", {"a", "b"}, ServiceType::gate);
    then("cares", {"all"}).depends_on[0].on_loss = OnLoss::restart;
    then("late", {"all"});
  };
  file();
  reload();
  EXPECT_EQ(runs("cares"), 1U);
  EXPECT_EQ(state("cares"), State::ready);
  EXPECT_EQ(state("late"), State::waiting) << "who is to start waits for all of them";
  next.shutdown.delay = 1s;  // another reload meanwhile
  file();
  reload();
  EXPECT_EQ(runs("cares"), 1U);
  say_ready("b");
  EXPECT_EQ(state("late"), State::ready);
  EXPECT_EQ(runs("cares"), 1U);
  end("b", 1);
  EXPECT_EQ(runs("cares"), 1U);
  EXPECT_EQ(state("cares"), State::waiting) << "from then on its loss is one";
  leave();
}

TEST_F(Exchange, a_new_edge_to_who_is_not_there_yet_restarts_nobody) {
  daemon("api");
  up();
  speaking(then("db"));
  then("api", {"db"}).depends_on[0].on_loss = OnLoss::restart;
  reload();
  EXPECT_EQ(runs("api"), 1U);
  EXPECT_EQ(state("api"), State::ready);
  say_ready("db");
  end("db", 1);
  EXPECT_EQ(state("api"), State::waiting);
  leave();
}

TEST_F(Exchange, a_shutdown_in_the_middle_goes_first) {
  daemon("a");
  daemon("b");
  script("a", {.stops_after = 1s});
  up();
  then("a").command = {"./new"};
  then("b");
  const Asked& asked = reload();
  down();
  advance(1s);
  ASSERT_TRUE(asked.result);
  EXPECT_FALSE(*asked.result);
  EXPECT_EQ(runs("a"), 1U);
  leave();
}

TEST_F(Exchange, a_stack_whose_work_is_done_does_not_end_while_it_is_exchanged) {
  oneshot("done");
  daemon("a");
  up();
  end("done");
  then("done", {}, ServiceType::oneshot);
  next.services.back().restart->policy = config::RestartPolicy::no;
  then("b");
  reload();
  EXPECT_FALSE(supervisor->ending().ended());
  EXPECT_EQ(state("b"), State::ready);
  leave();
}

TEST_F(Exchange, whom_it_will_touch_is_said_before) {
  daemon("db");
  daemon("api", {"db"});
  daemon("gone");
  up();
  then("db").command = {"./new"};
  then("api", {"db"});
  then("more");
  const daemon::Touched said = supervisor->whom_it_touches(made_next());
  EXPECT_THAT(said.stops, ElementsAre("api", "db", "gone"));
  EXPECT_THAT(said.starts, ElementsAre("db", "api", "more"));
  EXPECT_EQ(runs("db"), 1U);
  leave();
}

TEST_F(Exchange, descriptions_of_the_past_are_kept_by_whoever_uses_them_only) {
  daemon("runs_on");
  daemon("restarts");
  daemon("b");
  up();
  std::vector<std::weak_ptr<const config::Service>> all;
  constexpr int turns = 20;
  for (int turn = 1; turn <= turns; ++turn) {
    const std::string word = std::to_string(turn);
    config::Service& live = then("runs_on");
    live.stop.timeout = std::chrono::seconds(turn);
    live.live = std::make_unique<config::ProbeSet>();
    live.live->probes.push_back(a_probe());
    live.live->probes.back().period = std::chrono::seconds(turn);
    then("restarts").command = {"./restarts", word};
    then("b");
    then("renamed" + word);
    ASSERT_TRUE(*reload().result);
    for (const std::string& name : {"runs_on"s, "restarts"s, "renamed" + word})
      all.emplace_back(service(name).description());
  }
  const auto alive = [&all] {
    return std::ranges::count_if(all, [](const auto& one) { return !one.expired(); });
  };
  EXPECT_LE(alive(), 6) << "of the three services the current one, and what a run goes by";
  EXPECT_EQ(runs("runs_on"), 1U);
  command(ServiceCommand::stop, "runs_on");
  then("b");
  reload();
  EXPECT_EQ(alive(), 0) << "who has gone leaves nothing of what it was";
  leave();
}

TEST_F(Exchange, the_new_live_probe_is_asked_and_the_old_one_is_not) {
  daemon("web");
  up();
  then("web").live = std::make_unique<config::ProbeSet>();
  next.services.back().live->probes.push_back(a_probe());
  next.services.back().live->probes.back().period = 1s;
  next.services.back().live->probes.back().failure_threshold = 1;
  probes.answer = [](const std::string&, const config::Probe&) { return ProbeAnswer{.yes = false}; };
  reload();
  advance(3s);
  EXPECT_GE(runs("web"), 2U);
  then("web");
  reload();
  advance(1min);
  const std::uint64_t before = runs("web");
  advance(10min);
  EXPECT_EQ(runs("web"), before);
  leave();
}

TEST_F(Exchange, another_ready_probe_restarts_it_with_bells_of_its_own) {
  daemon("web");
  up();
  config::Service& web = then("web");
  config::OwnBell bell;
  bell.name = "warm";
  bell.probes.probes.push_back(a_probe());
  web.extras = std::make_unique<config::ServiceExtras>();
  web.extras->bells.push_back(std::move(bell));
  reload();
  EXPECT_EQ(runs("web"), 2U);
  EXPECT_TRUE(service("web").incarnation()->has_own("warm"));
  Rig::Asked& waits = wait_for("web", Condition::own_bell, "warm");
  then("web");
  reload();
  loop.run_until_idle();
  EXPECT_TRUE(waits.waited) << "who waits for a bell that has gone is told";
  leave();
}

}  // namespace
}  // namespace belfry::testing
