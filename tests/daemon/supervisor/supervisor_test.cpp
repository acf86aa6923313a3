// The stack as a whole: what is wanted, whether it is ready, and when it ends by itself.
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::HasSubstr;

class Stack : public Rig {
 protected:
  std::optional<int> ending() {
    return supervisor->ending().rung() ? std::optional(supervisor->ending().value().code) : std::nullopt;
  }
};

TEST_F(Stack, names_start_these_services_and_their_required_closure) {
  daemon("db");
  daemon("api", {"db"});
  daemon("other");
  up({"api"});
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(state("other"), State::inactive);
  EXPECT_TRUE(supervisor->stack_ready());
}

TEST_F(Stack, what_was_stopped_by_command_does_not_count_for_readiness) {
  daemon("db");
  daemon("other");
  up();
  command(ServiceCommand::stop, "other");
  EXPECT_TRUE(supervisor->stack_ready());
}

TEST_F(Stack, health_ignore_does_not_count) {
  config::Service& slow = speaking(daemon("slow"));
  slow.extras = std::make_unique<config::ServiceExtras>();
  slow.extras->health_ignore = true;
  daemon("db");
  up();
  EXPECT_TRUE(supervisor->stack_ready());
}

TEST_F(Stack, a_start_that_only_takes_its_time_is_not_hopeless) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  up();
  EXPECT_FALSE(supervisor->start_is_hopeless().has_value());
}

TEST_F(Stack, what_fails_five_times_and_was_never_ready_will_not_come_up) {
  speaking(daemon("api")).restart->delay = 1ms;
  script("api", {.exits_after = 1ms, .exits_with = {.signaled = false, .value = 3}});
  up();
  EXPECT_FALSE(supervisor->start_is_hopeless().has_value());
  advance(1s);
  ASSERT_TRUE(supervisor->start_is_hopeless().has_value());
  EXPECT_THAT(*supervisor->start_is_hopeless(), HasSubstr("times and was never ready"));
}

TEST_F(Stack, what_no_profile_enables_has_its_edges_when_it_is_started_by_name) {
  daemon("base");
  speaking(daemon("queue")).enabled = false;
  daemon("tool", {"queue"}).enabled = false;
  up();
  EXPECT_TRUE(supervisor->stack_ready()) << "what is not enabled is not waited for";
  Asked& started = command(ServiceCommand::start, "tool");
  EXPECT_EQ(state("queue"), State::starting);
  EXPECT_EQ(state("tool"), State::waiting);
  say_ready("queue");
  EXPECT_EQ(state("tool"), State::ready);
  EXPECT_TRUE(started.result.has_value());
  command(ServiceCommand::stop, "queue");
  EXPECT_EQ(state("tool"), State::blocked) << "what it stands on is not stopped under it";
  EXPECT_LT(when("gone tool#1"), when("gone queue#1"));
}

TEST_F(Stack, an_optional_edge_to_what_no_profile_enables_holds_nobody_up_until_it_is_started) {
  daemon("queue").enabled = false;
  depends(daemon("app"), stack, "queue").required = false;
  up();
  EXPECT_EQ(state("app"), State::ready);
  command(ServiceCommand::start, "queue");
  down();
  EXPECT_LT(when("gone app#1"), when("gone queue#1")) << "from then on it is a dependency as any other";
}

TEST_F(Stack, main_takes_the_stack_down_with_its_code) {
  daemon("db");
  daemon("web", {"db"}).main = true;
  up();
  end("web", 3);
  EXPECT_EQ(ending(), 3);
  EXPECT_THAT(supervisor->ending().value().reason, HasSubstr("main service web exited with code 3"));
}

TEST_F(Stack, essential_ends_it_when_it_has_failed_for_good_and_not_before) {
  daemon("db").essential = true;
  stack.services.back().restart->limit = 1;
  daemon("other");
  up();
  end("db", 1);
  EXPECT_EQ(ending(), std::nullopt);
  advance(1s);
  end("db", 1);
  EXPECT_EQ(ending(), 69);
}

TEST_F(Stack, essential_ends_it_when_it_is_blocked_by_a_failure) {
  oneshot("migrate");
  daemon("api", {"migrate"}).essential = true;
  daemon("other");
  up();
  end("migrate", 1);
  EXPECT_EQ(ending(), 69);
}

TEST_F(Stack, essential_does_not_end_it_when_it_is_blocked_by_a_command) {
  daemon("db");
  daemon("api", {"db"}).essential = true;
  up();
  command(ServiceCommand::stop, "db");
  ASSERT_EQ(state("api"), State::blocked);
  EXPECT_EQ(ending(), std::nullopt);
}

TEST_F(Stack, essential_blocked_by_a_command_first_and_by_a_failure_later_ends_it) {
  daemon("a");
  daemon("b").restart->policy = config::RestartPolicy::no;
  daemon("api", {"a", "b"}).essential = true;
  daemon("other");
  up();
  command(ServiceCommand::stop, "a");
  ASSERT_EQ(state("api"), State::blocked);
  end("b", 1);
  EXPECT_EQ(ending(), 69);
}

TEST_F(Stack, when_all_have_completed_it_ends_with_0) {
  oneshot("one");
  oneshot("two", {"one"});
  up();
  end("one");
  EXPECT_EQ(ending(), std::nullopt);
  end("two");
  EXPECT_EQ(ending(), 0);
}

TEST_F(Stack, one_that_somebody_uses_does_not_end_because_its_work_is_done) {
  oneshot("migrate");
  daemon("tool").main = true;
  supervisor = std::make_unique<daemon::Supervisor>(root, stack, processes, resources, probes, chronicle, 1);
  supervisor->stay_up_when_done();
  supervisor->begin({});
  loop.run_until_idle();
  end("migrate");
  end("tool");
  EXPECT_FALSE(supervisor->ending().ended());
}

TEST_F(Stack, one_that_somebody_uses_ends_when_its_main_service_fails) {
  daemon("tool").main = true;
  supervisor = std::make_unique<daemon::Supervisor>(root, stack, processes, resources, probes, chronicle, 1);
  supervisor->stay_up_when_done();
  supervisor->begin({});
  loop.run_until_idle();
  end("tool", 3);
  ASSERT_TRUE(supervisor->ending().ended());
  EXPECT_EQ(supervisor->ending().value().code, 3);
}

TEST_F(Stack, when_nothing_can_run_any_more_it_ends_with_69) {
  oneshot("one");
  oneshot("two", {"one"});
  up();
  end("one", 1);
  EXPECT_EQ(ending(), 69);
}

TEST_F(Stack, a_command_that_does_not_exist_leaves_the_rest_running) {
  daemon("bad");
  daemon("api", {"bad"});
  daemon("other");
  script("bad",
         {.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}}});
  up();
  EXPECT_EQ(ending(), std::nullopt);
  EXPECT_EQ(state("other"), State::ready);
  EXPECT_TRUE(supervisor->start_is_hopeless().has_value());
}

TEST_F(Stack, what_was_stopped_by_command_may_come_back_so_the_stack_stays) {
  daemon("db");
  up();
  command(ServiceCommand::stop, "db");
  EXPECT_EQ(ending(), std::nullopt);
}

TEST_F(Stack, what_rests_after_a_loss_does_not_come_back_by_itself) {
  daemon("db").restart->policy = config::RestartPolicy::no;
  daemon("api", {"db"}).depends_on[0].on_loss = OnLoss::stop;
  up();
  end("db", 1);
  EXPECT_EQ(state("api"), State::inactive);
  EXPECT_EQ(ending(), 69);
}

TEST_F(Stack, gates_and_externals_alone_are_there_to_be_asked) {
  external("db");
  gate("go", {"db"});
  up();
  advance(1min);
  EXPECT_TRUE(supervisor->stack_ready());
  EXPECT_EQ(ending(), std::nullopt);
}

TEST_F(Stack, a_disabled_service_is_not_started_and_edges_to_it_are_dropped) {
  daemon("cache").enabled = false;
  depends(daemon("api"), stack, "cache").required = false;
  up();
  EXPECT_EQ(state("cache"), State::inactive);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Stack, a_chain_of_ten_thousand_comes_up_and_goes_down) {
  stack.services.reserve(10'000);
  for (int i = 0; i < 10'000; ++i) {
    config::Service& made = a_service(stack, "s" + std::to_string(i), ServiceType::daemon);
    if (i == 0) continue;
    config::Dependency& edge = made.depends_on.emplace_back();
    edge.target = static_cast<std::uint32_t>(i - 1);
    edge.service = "s" + std::to_string(i - 1);
  }
  up();
  EXPECT_TRUE(supervisor->stack_ready());
  down();
  EXPECT_TRUE(supervisor->is_at_rest());
}

}  // namespace
}  // namespace belfry::testing
