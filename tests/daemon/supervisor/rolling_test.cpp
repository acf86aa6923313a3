// Replicas are replaced one after the other, and whoever can do with fewer of them notices nothing.
#include <optional>

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Rolling : public Rig {
 protected:
  // `api` with three replicas that say when they are ready, and `web` that needs two of them.
  static void describe(config::Stack& into, const std::string& program,
                       const std::optional<config::Update>& update) {
    config::Service& gate = a_service(into, "api", ServiceType::gate);
    gate.replicated = true;
    for (int number = 1; number <= 3; ++number) {
      config::Service& replica = a_service(into, "api-" + std::to_string(number), ServiceType::daemon);
      replica.command = {program};
      replica.ready.probes.push_back(a_probe(config::Probe::Kind::notify));
      replica.restart->delay = 60s;
      replica.extras = std::make_unique<config::ServiceExtras>();
      replica.extras->update = update;
      depends(gate, into, replica.name);
    }
    config::Service& web = a_service(into, "web", ServiceType::daemon);
    config::Dependency& edge = depends(web, into, "api");
    edge.require = config::Quorum{2};
    edge.on_loss = config::OnLoss::restart;
  }
  void up_with(const std::optional<config::Update>& update) {
    describe(stack, "./old", update);
    up();
    for (const char* name : {"api-1", "api-2", "api-3"}) say_ready(name);
    ASSERT_EQ(state("web"), State::ready);
  }
  struct Reload {
    explicit Reload(Loop& loop) : context(loop) {}
    Context context;
    std::optional<Result<daemon::Touched>> result;
  };
  Reload& reload(const std::string& program, const config::Update& update) {
    config::Stack next = a_stack();
    describe(next, program, update);
    daemon::NewStack made{.stack = std::move(next), .difference = {}, .warnings = {}};
    made.difference = config::difference(stack, supervisor->specs(), made.stack);
    Reload& asked = reloads_.emplace_back(loop);
    spawn(requests, "reload", exchange(asked, std::move(made)));
    loop.run_until_idle();
    return asked;
  }
  static config::Update that_rolls_back() {
    config::Update update;
    update.on_failure = config::Update::OnFailure::roll_back;
    return update;
  }
  std::string program_of(const char* name) { return resources.commands[name]; }
  std::uint64_t runs(std::string_view name) { return service(name).record().runs; }

 private:
  Task<void> exchange(Reload& asked, daemon::NewStack next) {
    asked.result = co_await supervisor->exchange(asked.context, std::move(next));
  }
  std::deque<Reload> reloads_;
};

TEST_F(Rolling, the_next_goes_when_the_one_before_is_ready) {
  up_with({});
  const auto& restart = command(ServiceCommand::restart, "api", Manner::rolling);
  EXPECT_EQ(state("api-1"), State::starting);
  EXPECT_EQ(state("api-2"), State::ready);
  say_ready("api-1");
  EXPECT_EQ(state("api-2"), State::starting);
  EXPECT_EQ(state("api-3"), State::ready);
  say_ready("api-2");
  EXPECT_FALSE(restart.result);
  say_ready("api-3");
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::done);
  EXPECT_EQ(restart.result->message, "api is restarted, one replica after the other");
  EXPECT_THAT(restart.result->affected, ElementsAre("api-1", "api-2", "api-3"));
  EXPECT_EQ(runs("web"), 1U) << "two of three were there all the time";
}

TEST_F(Rolling, as_many_go_at_once_as_the_file_says) {
  config::Update two_at_once;
  two_at_once.parallel = 2;
  up_with(two_at_once);
  (void)command(ServiceCommand::restart, "api", Manner::rolling);
  EXPECT_EQ(state("api-1"), State::starting);
  EXPECT_EQ(state("api-2"), State::starting);
  EXPECT_EQ(state("api-3"), State::ready);
  say_ready("api-1");
  EXPECT_EQ(state("api-3"), State::ready);
  say_ready("api-2");
  EXPECT_EQ(state("api-3"), State::starting);
  say_ready("api-3");
}

TEST_F(Rolling, one_that_does_not_come_up_ends_it) {
  up_with({});
  const auto& restart = command(ServiceCommand::restart, "api", Manner::rolling);
  end("api-1", 3);
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::never);
  EXPECT_THAT(restart.result->message, HasSubstr("cannot restart api: api-1 is backoff: "));
  EXPECT_THAT(restart.result->message, HasSubstr(" (api-2, api-3: not restarted)"));
  EXPECT_EQ(runs("api-2"), 1U);
  EXPECT_EQ(state("web"), State::ready);
}

TEST_F(Rolling, whoever_gives_up_waiting_stops_it_where_it_is) {
  up_with({});
  auto& restart = command(ServiceCommand::restart, "api", Manner::rolling);
  restart.context.cancel(Error::cancelled());
  loop.run_until_idle();
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::not_in_time);
  say_ready("api-1");
  EXPECT_EQ(runs("api-2"), 1U);
}

TEST_F(Rolling, what_was_stopped_by_command_stays_so) {
  up_with({});
  (void)command(ServiceCommand::stop, "api-1", Manner::alone);
  const auto& restart = command(ServiceCommand::restart, "api", Manner::rolling);
  say_ready("api-2");
  say_ready("api-3");
  ASSERT_TRUE(restart.result);
  EXPECT_THAT(restart.result->affected, ElementsAre("api-2", "api-3"));
  EXPECT_EQ(state("api-1"), State::inactive);
}

TEST_F(Rolling, what_has_no_replicas_is_refused) {
  up_with({});
  const auto& restart = command(ServiceCommand::restart, "web", Manner::rolling);
  ASSERT_TRUE(restart.result);
  EXPECT_EQ(restart.result->outcome, CommandOutcome::refused);
  EXPECT_EQ(restart.result->message, "cannot restart web rolling: it has no replicas (replicas: 3)");
}

TEST_F(Rolling, a_reload_replaces_them_in_turn_and_stops_nobody_above) {
  up_with(config::Update{});
  const Reload& asked = reload("./new", {});
  EXPECT_EQ(program_of("api-1"), "./new");
  EXPECT_EQ(program_of("api-2"), "./old");
  EXPECT_EQ(state("api-2"), State::ready);
  for (const char* name : {"api-1", "api-2", "api-3"}) say_ready(name);
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_TRUE((*asked.result)->stops.empty());
  EXPECT_THAT((*asked.result)->rolls, ElementsAre("api-1", "api-2", "api-3"));
  EXPECT_EQ((*asked.result)->trouble, "");
  EXPECT_EQ(program_of("api-3"), "./new");
  EXPECT_EQ(runs("web"), 1U);
}

TEST_F(Rolling, a_bad_file_costs_one_replica_and_the_others_are_as_before) {
  up_with(config::Update{});
  const Reload& asked = reload("./bad", {});
  end("api-1", 3);
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->trouble, HasSubstr("api-1 is backoff: "));
  EXPECT_THAT((*asked.result)->trouble, HasSubstr("(api-2, api-3: as before)"));
  // Also when they are started anew, and the next reload sees what they lack.
  end("api-2", 1);
  advance(61s);
  loop.run_until_idle();
  EXPECT_EQ(program_of("api-2"), "./old");
  EXPECT_EQ(supervisor->specs()[2]->command.front(), "./old");
  EXPECT_EQ(supervisor->specs()[1]->command.front(), "./bad");
}

TEST_F(Rolling, a_bad_file_is_rolled_back_where_it_says_so) {
  up_with(config::Update{});
  const Reload& asked = reload("./bad", that_rolls_back());
  say_ready("api-1");
  end("api-2", 3);
  EXPECT_EQ(program_of("api-2"), "./old");
  EXPECT_EQ(program_of("api-1"), "./bad") << "it serves until the broken one is back";
  say_ready("api-2");
  EXPECT_EQ(program_of("api-1"), "./old");
  say_ready("api-1");
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->trouble, HasSubstr("api-2 is backoff: "));
  EXPECT_THAT((*asked.result)->trouble, HasSubstr("(api-1, api-2: rolled back)"));
  for (const char* name : {"api-1", "api-2", "api-3"}) EXPECT_EQ(state(name), State::ready) << name;
  for (std::size_t place : {1U, 2U, 3U}) EXPECT_EQ(supervisor->specs()[place]->command.front(), "./old");
  EXPECT_EQ(runs("web"), 1U);
}

TEST_F(Rolling, one_that_was_replaced_and_has_failed_since_is_rolled_back_as_well) {
  up_with(config::Update{});
  const Reload& asked = reload("./bad", that_rolls_back());
  say_ready("api-1");
  end("api-1", 3);
  EXPECT_EQ(state("api-1"), State::backoff);
  end("api-2", 3);
  say_ready("api-2");
  EXPECT_EQ(program_of("api-1"), "./old");
  say_ready("api-1");
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->trouble, HasSubstr("(api-1, api-2: rolled back)"));
}

TEST_F(Rolling, a_stack_that_goes_down_meanwhile_goes_down) {
  up_with(config::Update{});
  const Reload& asked = reload("./new", {});
  down();
  advance(30s);
  loop.run_until_idle();
  ASSERT_TRUE(asked.result && *asked.result);
  EXPECT_THAT((*asked.result)->trouble, HasSubstr("shutting down"));
  EXPECT_EQ(processes.alive(), 0U);
}

}  // namespace
}  // namespace belfry::testing
