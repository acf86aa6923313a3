#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

// What a task left behind.
struct Kept {
  bool done = false;
  Response response;
};

template <class Pending>
Task<void> perform_and_keep(Api& api, Context& ctx, Pending pending, Kept& kept) {
  kept.response = co_await api.perform(ctx, std::move(pending));
  kept.done = true;
}

struct Control : testing::Test, ApiWorld {
  Context caller{loop};
  WaitGroup group{loop};
  Kept kept;

  ~Control() override {
    caller.cancel();
    loop.run_until_idle();
    EXPECT_EQ(loop.tasks(), 0U);
  }
  // Starts what the request asks for and runs until nothing moves.
  void begin(const Request& request, Access access = Access::full, bool over_tcp = false) {
    Understood pending = answer(request, access, over_tcp);
    if (auto* wait = std::get_if<WaitFor>(&pending)) {
      spawn(group, "request", perform_and_keep(api, caller, std::move(*wait), kept));
    } else if (auto* run = std::get_if<RunCommand>(&pending)) {
      spawn(group, "request", perform_and_keep(api, caller, *run, kept));
    } else {
      kept = {true, std::get<Response>(pending)};
    }
    loop.run_until_idle();
  }
};

TEST_F(Control, a_service_that_is_named_often_is_waited_for_once) {
  stack.add("db", State::starting);
  stack.add("api", State::starting);
  std::string target = "/v1/wait?service=db&service=api";
  for (int i = 0; i < 300; ++i) target += "&service=db&service=api";
  begin(get(target));
  EXPECT_EQ(stack.waiting, 2);
  stack.fake(0).level.ring();
  stack.fake(1).level.ring();
  loop.run_until_idle();
  ASSERT_TRUE(kept.done);
  EXPECT_LT(kept.response.body.find(R"("name":"db")"), kept.response.body.find(R"("name":"api")"));
}

TEST_F(Control, a_wait_names_a_bounded_number_of_services) {
  std::string target = "/v1/wait?service=s0";
  for (int i = 0; i < 1025; ++i) stack.add("s" + std::to_string(i), State::starting);
  for (int i = 1; i < 1025; ++i) target += "&service=s" + std::to_string(i);
  begin(get(target));
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 400);
  EXPECT_THAT(kept.response.body, HasSubstr("more than 1024 services; ask in several requests"));
}

TEST_F(Control, a_wait_over_tcp_tells_nothing_that_somebody_said) {
  for (const bool in_time : {true, false}) {
    ServiceView& db = stack.add(in_time ? "db" : "api", State::starting);
    db.last_error = "exec: SECRET";
    db.status_text = "SECRET";
    const std::string target = "/v1/wait?timeout=1s&service=" + std::string(in_time ? "db" : "api");
    begin(get(target), Access::read_only, true);
    if (in_time) {
      stack.fake(0).level.never(Error(Error::Kind::failed, "db is failed: SECRET"));
      loop.run_until_idle();
    } else {
      loop.advance(1s);
    }
    ASSERT_TRUE(kept.done);
    EXPECT_EQ(kept.response.status, in_time ? 424 : 504);
    EXPECT_THAT(kept.response.body, HasSubstr(in_time ? "db is starting" : "api is starting"));
    EXPECT_THAT(kept.response.body, testing::Not(HasSubstr("SECRET")));
    kept = {};
  }
  stack.fake(1).view.state = State::ready;
  stack.fake(1).level.ring();
  begin(get("/v1/wait?service=api"), Access::read_only, true);
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 200);
  EXPECT_THAT(kept.response.body, testing::Not(HasSubstr("SECRET")));
}

TEST_F(Control, wait_answers_the_moment_the_bell_rings) {
  stack.add("db", State::starting);
  begin(get("/v1/wait?service=db"));
  EXPECT_FALSE(kept.done);
  stack.fake(0).level.ring();
  loop.run_until_idle();
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 200);
  EXPECT_THAT(kept.response.body, HasSubstr(R"("name":"db")"));
}

TEST_F(Control, wait_for_several_answers_when_the_last_one_holds) {
  stack.add("db", State::starting);
  stack.add("cache", State::starting);
  begin(get("/v1/wait?service=db&service=cache"));
  EXPECT_EQ(stack.waiting, 2);
  stack.fake(0).level.ring();
  loop.run_until_idle();
  EXPECT_FALSE(kept.done);
  stack.fake(1).level.ring();
  loop.run_until_idle();
  EXPECT_EQ(kept.response.status, 200);
}

TEST_F(Control, of_any_the_first_that_holds_ends_the_wait_and_only_the_last_that_never_will) {
  stack.add("db", State::starting);
  stack.add("api", State::starting);
  begin(get("/v1/wait?service=db&service=api&any=1"));
  stack.fake(1).level.never(Error(Error::Kind::failed, "api has failed"));
  loop.run_until_idle();
  EXPECT_FALSE(kept.done);
  stack.fake(0).level.ring();
  loop.run_until_idle();
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 200);
  EXPECT_EQ(stack.waiting, 0) << "the sibling was let go";

  stack.add("web", State::starting);
  begin(get("/v1/wait?service=api&service=web&any=1"));
  stack.fake(2).level.never(Error(Error::Kind::failed, "web has failed"));
  loop.run_until_idle();
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 424);
}

TEST_F(Control, a_wait_may_ask_for_the_opposite) {
  stack.add("db", State::ready);
  begin(get("/v1/wait?service=db&not=1"));
  ASSERT_EQ(stack.negated.size(), 1U);
  EXPECT_TRUE(stack.negated[0]);
  stack.fake(0).level.ring();
  loop.run_until_idle();
  EXPECT_EQ(kept.response.status, 200);
}

TEST_F(Control, of_any_one_that_never_will_leaves_a_timeout_a_timeout) {
  stack.add("db", State::starting);
  stack.add("api", State::starting);
  begin(get("/v1/wait?service=db&service=api&any=1&timeout=1s"));
  stack.fake(1).level.never(Error(Error::Kind::failed, "api has failed"));
  loop.advance(1s);
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 504);
}

TEST_F(Control, who_waited_in_vain_for_the_opposite_hears_who_is_still_ready) {
  stack.add("db", State::ready);
  stack.add("api", State::starting);
  begin(get("/v1/wait?service=db&service=api&not=1&timeout=1s"));
  stack.fake(1).level.ring();
  loop.advance(1s);
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 504);
  EXPECT_THAT(kept.response.body, HasSubstr("cannot wait any longer: db is ready\""));
}

TEST_F(Control, the_first_that_never_will_ends_the_wait_for_all) {
  stack.add("db", State::starting);
  stack.add("api", State::starting);
  begin(get("/v1/wait?service=db&service=api"));
  stack.fake(1).level.never(Error(Error::Kind::failed, "api has failed").wrap("cannot wait for api"));
  loop.run_until_idle();
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 424);
  EXPECT_THAT(kept.response.body, HasSubstr("cannot wait for api: api has failed"));
  EXPECT_EQ(stack.waiting, 0) << "the siblings were let go";
}

TEST_F(Control, wait_ends_at_its_timeout) {
  stack.add("db", State::starting);
  begin(get("/v1/wait?service=db&timeout=30s"));
  loop.advance(29s);
  EXPECT_FALSE(kept.done);
  loop.advance(1s);
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.status, 504);
}

TEST_F(Control, waiters_get_503_when_the_daemon_goes) {
  stack.add("db", State::starting);
  begin(get("/v1/wait?service=db"));
  stack.fake(0).level.never(Error::closed("the daemon shuts down"));
  loop.run_until_idle();
  EXPECT_EQ(kept.response.status, 503);
}

TEST_F(Control, a_wait_without_condition_asks_what_an_edge_would_ask) {
  stack.add("migrate", State::starting).type = config::ServiceType::oneshot;
  stack.add("db", State::starting);
  begin(get("/v1/wait?service=migrate&service=db"));
  EXPECT_THAT(stack.conditions, ElementsAre(config::Condition::completed, config::Condition::ready));
}

TEST_F(Control, a_named_condition_is_asked_of_all) {
  stack.add("db", State::starting);
  begin(get("/v1/wait?service=db&condition=stopped"));
  EXPECT_THAT(stack.conditions, ElementsAre(config::Condition::stopped));
}

TEST_F(Control, any_other_word_is_the_name_of_an_own_bell_if_the_service_has_such_a_bell) {
  stack.add("api", State::starting).bells = {{.name = "booted", .rung = false}};
  begin(get("/v1/wait?service=api&condition=booted"));
  EXPECT_THAT(stack.conditions, ElementsAre(config::Condition::own_bell));
  EXPECT_THAT(stack.bells, ElementsAre("booted"));
  const auto refused = ask(get("/v1/wait?service=api&condition=bootd"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body,
              ::testing::HasSubstr("bootd is not one of started, ready, completed, stopped, booted of api"));
}

TEST_F(Control, bad_parameters_of_a_wait_are_400) {
  stack.add("db");
  for (const char* target :
       {"/v1/wait", "/v1/wait?service=db&condition=happy", "/v1/wait?service=db&timeout=5",
        "/v1/wait?service=db&timeout=", "/v1/wait?service=%zz", "/v1/wait?servce=db"}) {
    EXPECT_EQ(ask(get(target)).status, 400) << target;
  }
  EXPECT_EQ(ask(get("/v1/wait?service=nobody")).status, 404);
}

TEST_F(Control, a_command_reaches_the_supervisor_and_answers_when_it_is_done) {
  stack.add("api");
  Bell<> done(loop, "command done");
  stack.command_bell = &done;
  stack.command_result = {CommandOutcome::done, "stopped api", {"web", "api"}};
  begin(post("/v1/services/api/stop?only=1"));
  EXPECT_FALSE(kept.done);
  done.ring();
  loop.run_until_idle();
  ASSERT_TRUE(kept.done);
  EXPECT_EQ(kept.response.body, "{\"message\":\"stopped api\",\"affected\":[\"web\",\"api\"]}\n");
  EXPECT_THAT(stack.commands, ElementsAre(FakeStack::Commanded{ServiceCommand::stop, "api", true}));
  EXPECT_THAT(metrics.outcomes, ElementsAre(CommandOutcome::done));
}

TEST_F(Control, a_command_that_is_refused_is_a_problem) {
  stack.add("db").type = config::ServiceType::external;
  stack.command_result = {CommandOutcome::refused, "cannot start db: it is external", {}};
  begin(post("/v1/services/db/start"));
  EXPECT_EQ(kept.response.status, 409);
  EXPECT_EQ(kept.response.content_type, problem_json);
}

TEST_F(Control, wait_0_leaves_a_command_in_the_background) {
  stack.add("api");
  const Understood pending = answer(post("/v1/services/api/restart?wait=0"));
  ASSERT_TRUE(std::holds_alternative<RunCommand>(pending));
  EXPECT_TRUE(std::get<RunCommand>(pending).in_background);
  EXPECT_EQ(ask(post("/v1/services/nobody/restart?wait=0")).status, 404);
}

}  // namespace
}  // namespace belfry::daemon::http
