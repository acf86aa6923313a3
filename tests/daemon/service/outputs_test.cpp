// Outputs: what a run publishes with its bells, and what becomes of those who use it.
#include "daemon/service/outputs.hpp"

#include "config/model/output_reference.hpp"
#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using daemon::NotifyRefusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Outputs : public Rig {
 public:
  static config::ServiceExtras& extras_of(config::Service& service) {
    if (!service.extras) service.extras = std::make_unique<config::ServiceExtras>();
    return *service.extras;
  }
  // `db` says its port, and `api` runs as the program of that name.
  config::Service& api_that_uses(const std::string& key, OnLoss on_loss = OnLoss::ignore) {
    config::Service& db = speaking(daemon("db"));
    db.restart->delay = 100ms;
    config::Service& api = daemon("api", {"db"});
    api.depends_on.front().on_loss = on_loss;
    api.restart->delay = 100ms;
    extras_of(api).references.push_back(
        {.service = "db", .key = key, .provider = 0, .edge = 0, .published = key});
    api.command = {"./api-" + config::reference_to({.service = "db", .key = key})};
    return api;
  }
  void say(std::string_view name, const std::string& key, const std::string& value, bool ready = false) {
    service(name).said({.ready = ready, .outputs = {{key, value}}});
    loop.run_until_idle();
  }
  std::string output(std::string_view name, std::string_view key) {
    for (const auto& one : service(name).outputs())
      if (one.key == key) return std::string(one.value);
    return "-";
  }
  std::uint64_t refused(std::string_view name, NotifyRefusal why) {
    return service(name).tally().refused[static_cast<std::size_t>(why)];
  }
};

TEST_F(Outputs, a_dependent_starts_with_what_was_said_with_ready) {
  api_that_uses("PORT");
  up();
  say("db", "PORT", "4001");
  say("db", "PORT", "4002", true);  // until the bell rings one may think better of it
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(resources.commands["api"], "./api-4002");
  EXPECT_EQ(supervisor->service(0).outputs.front().value, "4002");
}

TEST_F(Outputs, nothing_changes_after_the_bell) {
  api_that_uses("PORT");
  up();
  say("db", "PORT", "4001", true);
  say("db", "PORT", "4002");
  say("db", "OTHER", "1");
  EXPECT_EQ(output("db", "PORT"), "4001");
  EXPECT_EQ(output("db", "OTHER"), "-");
  EXPECT_EQ(refused("db", NotifyRefusal::late_output), 2U);
  say("db", "PORT", "4001");  // the same once more is no news
  EXPECT_EQ(refused("db", NotifyRefusal::late_output), 2U);
}

TEST_F(Outputs, they_go_with_the_run) {
  api_that_uses("PORT");
  up();
  say("db", "PORT", "4001", true);
  end("db", 1);
  EXPECT_EQ(output("db", "PORT"), "-");
}

TEST_F(Outputs, a_completed_oneshot_keeps_what_it_has_published) {
  config::Service& prepare = oneshot("prepare");
  extras_of(prepare).outputs.file = "/outputs";
  config::Service& api = daemon("api", {"prepare"});
  extras_of(api).references.push_back(
      {.service = "prepare", .key = "PASSWORD", .provider = 0, .edge = 0, .published = "PASSWORD"});
  api.command = {"./api-" + config::reference_to({.service = "prepare", .key = "PASSWORD"})};
  resources.outputs_file = [](const config::Service&) { return daemon::OutputList{{"PASSWORD", "abc"}}; };
  up();
  end("prepare");
  EXPECT_EQ(state("api"), State::ready);
  EXPECT_EQ(resources.commands["api"], "./api-abc");
}

TEST_F(Outputs, without_its_output_a_start_fails_and_says_how_it_could_be_published) {
  api_that_uses("PORT");
  up();
  say_ready("db");
  EXPECT_EQ(state("api"), State::backoff);
  EXPECT_THAT(cause("api"), HasSubstr("cannot start api: db has not published PORT"));
  EXPECT_THAT(cause("api"), HasSubstr("X_BELFRY_SET=PORT"));
  end("db", 1);
  advance(1s);
  say("db", "PORT", "4001", true);  // what was missing in one run may be there in the next
  advance(60s);
  EXPECT_EQ(state("api"), State::ready);
}

TEST_F(Outputs, a_file_that_cannot_be_read_is_named_to_whoever_needs_it) {
  config::Service& api = api_that_uses("PORT");
  extras_of(stack.services[0]).outputs.file = "/outputs";
  resources.outputs_file = [](const config::Service&) -> Result<daemon::OutputList> {
    return std::unexpected(Error::failed("cannot read its outputs /outputs: No such file or directory"));
  };
  up();
  say_ready("db");
  EXPECT_EQ(state(api.name), State::backoff);
  EXPECT_THAT(cause("api"), HasSubstr("cannot read its outputs /outputs: No such file"));
  EXPECT_THAT(chronicle.notices, ElementsAre(HasSubstr("db cannot read its outputs /outputs")));
  EXPECT_EQ(resources.outputs_forgotten, 1);
  end("db", 1);
  advance(1s);
  EXPECT_EQ(resources.outputs_forgotten, 2) << "what one run has written is none of the next one's";
}

TEST_F(Outputs, another_value_in_the_next_run_restarts_whoever_asks_for_that) {
  config::Service& api = api_that_uses("PORT", OnLoss::restart);
  api.depends_on.front().loss_after = 10s;  // so that the blip alone is none
  up();
  say("db", "PORT", "4001", true);
  end("db", 1);
  advance(1s);
  say("db", "PORT", "4001", true);
  advance(20s);
  EXPECT_EQ(service("api").record().runs, 1U);  // the same port: nothing was lost
  end("db", 1);
  advance(1s);
  say("db", "PORT", "4002", true);
  advance(8s);
  EXPECT_EQ(service("api").record().runs, 1U);
  advance(2s);
  EXPECT_EQ(service("api").record().runs, 2U);
  EXPECT_EQ(resources.commands["api"], "./api-4002");
  EXPECT_THAT(chronicle.notices, Contains(HasSubstr("api restarts: db has published another PORT")));
}

TEST_F(Outputs, who_ignores_losses_runs_on_with_the_old_value_and_it_is_said_once) {
  api_that_uses("PORT");
  up();
  say("db", "PORT", "4001", true);
  for (const char* port : {"4002", "4003"}) {
    end("db", 1);
    advance(1s);
    say("db", "PORT", port, true);
  }
  EXPECT_EQ(service("api").record().runs, 1U);
  EXPECT_THAT(chronicle.notices, ElementsAre(HasSubstr("api runs on with an old ${db.PORT}")));
}

TEST_F(Outputs, what_waits_for_a_slot_starts_with_what_is_true_by_then) {
  api_that_uses("PORT");
  speaking(daemon("slow", {"db"}));
  std::swap(stack.services[1], stack.services[2]);  // it takes the slot first
  stack.parallel_starts = 1;
  up();
  say("db", "PORT", "4001", true);
  ASSERT_EQ(state("slow"), State::starting);
  ASSERT_EQ(state("api"), State::waiting);
  end("db", 1);
  advance(1s);
  say_ready("slow");
  advance(1s);
  say("db", "PORT", "4002", true);
  advance(1s);
  EXPECT_EQ(resources.commands["api"], "./api-4002");
}

TEST_F(Outputs, an_own_bell_fixes_what_is_there_and_ready_brings_the_rest) {
  config::Service& api = speaking(daemon("api"));
  config::OwnBell bell;
  bell.name = "booted";
  bell.probes.probes.push_back(a_probe(config::Probe::Kind::log));
  extras_of(api).bells.push_back(std::move(bell));
  up();
  service("api").publish("PORT", "4001");
  service("api").heard({.kind = config::Probe::Kind::log});
  loop.run_until_idle();
  say("api", "PORT", "4002");
  say("api", "URL", "http://[::1]", true);
  EXPECT_EQ(output("api", "PORT"), "4001");
  EXPECT_EQ(output("api", "URL"), "http://[::1]");
  EXPECT_EQ(refused("api", NotifyRefusal::late_output), 1U);
}

TEST_F(Outputs, secrets_are_given_to_whom_they_are_for_and_shown_to_nobody) {
  config::Service& api = api_that_uses("PASSWORD");
  extras_of(stack.services[0]).outputs.secret = {"PASSWORD"};
  config::Probe probe = a_probe();
  probe.target = "127.0.0.1:" + config::reference_to({.service = "db", .key = "PASSWORD"});
  api.ready.probes.push_back(std::move(probe));
  std::string asked;
  probes.answer = [&asked](const std::string&, const config::Probe& spec) {
    asked = spec.target;
    return ProbeAnswer{};
  };
  up();
  say("db", "PASSWORD", "hunter2", true);
  EXPECT_EQ(resources.commands["api"], "./api-hunter2");
  EXPECT_EQ(asked, "127.0.0.1:hunter2");
  EXPECT_EQ(supervisor->service(0).outputs.front().value, "***");
  EXPECT_EQ(service("api").shown(Error::failed("no hunter2 here")).text(), "no *** here");
  std::vector<std::string> ambiguous;
  EXPECT_THAT(supervisor->output_variables(ambiguous),
              ElementsAre(std::pair("BELFRY_OUT_DB_PASSWORD"s, "hunter2"s)));
  EXPECT_THAT(ambiguous, ElementsAre());
}

TEST_F(Outputs, two_that_would_be_the_same_variable_are_none_and_named) {
  for (const char* name : {"my-db", "my_db", "my"}) speaking(daemon(name));
  up();
  for (const char* name : {"my-db", "my_db"}) say(name, "PORT", "4001", true);
  say("my", "DB_PORT", "4002");
  say("my", "URL", "db://", true);
  std::vector<std::string> ambiguous;
  EXPECT_THAT(supervisor->output_variables(ambiguous),
              ElementsAre(std::pair("BELFRY_OUT_MY_URL"s, "db://"s)));
  EXPECT_THAT(ambiguous, ElementsAre("BELFRY_OUT_MY_DB_PORT is not set: it would be ${my-db.PORT} and "
                                     "${my_db.PORT} and ${my.DB_PORT}"));
}

TEST_F(Outputs, a_probe_of_who_was_given_a_secret_is_asked_like_any_other_and_does_not_tell_it) {
  config::Service& api = api_that_uses("PASSWORD");
  extras_of(stack.services[0]).outputs.secret = {"PASSWORD"};
  api.ready.probes.push_back(a_probe());
  probes.answer = [](const std::string&, const config::Probe&) {
    return ProbeAnswer{.yes = false, .why_not = "cannot log in with hunter2"};
  };
  up();
  say("db", "PASSWORD", "hunter2", true);
  EXPECT_EQ(probes.listened_to(), 1U);
  EXPECT_EQ(service("api").readiness()->last_error().text(), "cannot log in with ***");
}

TEST_F(Outputs, no_part_of_a_secret_is_shown_and_a_short_one_leaves_the_rest_readable) {
  config::Service& api = api_that_uses("PASSWORD");
  extras_of(stack.services[0]).outputs.secret = {"PASSWORD", "PIN", "SALT"};
  for (const char* key : {"PIN", "SALT"})
    extras_of(api).references.push_back(
        {.service = "db", .key = key, .provider = 0, .edge = 0, .published = key});
  up();
  service("db").said({.outputs = {{"PASSWORD", "hunter2"}, {"SALT", "hunter2-and-more"}, {"PIN", "1"}}});
  say_ready("db");
  const auto shown = [this](const char* text) { return service("api").shown(Error::failed(text)).text(); };
  EXPECT_EQ(shown("no hunter2-and-more here"), "no *** here");
  EXPECT_EQ(shown("not 1, after 10 tries on 127.0.0.21"), "not ***, after 10 tries on 127.0.0.21");
}

TEST_F(Outputs, sockets_are_bound_where_the_output_says) {
  config::Service& api = api_that_uses("PORT");
  config::ListenSocket socket;
  socket.address = "127.0.0.1:" + config::reference_to({.service = "db", .key = "PORT"});
  extras_of(api).listen.push_back(std::move(socket));
  up();
  EXPECT_THAT(resources.addresses, ElementsAre());
  say("db", "PORT", "4001", true);
  EXPECT_THAT(resources.addresses, ElementsAre("127.0.0.1:4001"));
}

TEST(OutputValues, are_bounded_and_named_like_variables) {
  daemon::Outputs outputs;
  EXPECT_EQ(outputs.set("PORT", "1"), std::nullopt);
  for (const char* key : {"", "1A", "A-B", "A.B", "ÄH"})
    EXPECT_EQ(outputs.set(key, "1"), NotifyRefusal::bad_output);
  EXPECT_EQ(outputs.set(std::string(65, 'A'), "1"), NotifyRefusal::bad_output);
  for (const char* lines : {"two\nlines", "X-Header: a\rX-Other: b"})
    EXPECT_EQ(outputs.set("A", lines), NotifyRefusal::bad_output);
  EXPECT_EQ(outputs.set("A", std::string_view("a\0b", 3)), NotifyRefusal::bad_output);
  EXPECT_EQ(outputs.set("A", "\xff"), NotifyRefusal::bad_output);
  EXPECT_EQ(outputs.set("A", std::string(4097, 'x')), NotifyRefusal::bad_output);
  for (int i = 0; i < 63; ++i) EXPECT_EQ(outputs.set("K" + std::to_string(i), ""), std::nullopt);
  EXPECT_EQ(outputs.set("ONE_MORE", ""), NotifyRefusal::too_many_outputs);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(outputs.set("K" + std::to_string(i), std::string(4096, 'x')), std::nullopt);
  EXPECT_EQ(outputs.set("K3", std::string(4096, 'x')), NotifyRefusal::too_many_outputs);
  EXPECT_EQ(outputs.set("K2", std::string(4096, 'y')), std::nullopt);  // instead of as many
}

}  // namespace
}  // namespace belfry::testing
