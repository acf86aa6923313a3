#include "daemon/http/api/api.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "daemon/http/api/access.hpp"
#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

using testing::HasSubstr;

struct ApiTest : testing::Test, ApiWorld {};

TEST_F(ApiTest, services_are_listed_with_the_moment_they_changed) {
  ServiceView& db = stack.add("db");
  db.pid = 4711;
  db.since = loop.now() - std::chrono::seconds(8);
  db.readiness_method = "notify";
  db.time_to_ready = std::chrono::milliseconds(12);
  ServiceView& api = stack.add("api", State::waiting);
  api.waiting_for = {"db ready"};
  api.waiting_for_services = {"db"};
  EXPECT_EQ(
      ask(get("/v1/services")).body,
      R"({"stack":"shop","ready":false,"started_up":true,"shutting_down":false,"may_command":true,"now_monotonic_ns":3600000000000,"services":[)"
      R"({"name":"db","type":"daemon","state":"ready","ready":true,"wanted":true,"pid":4711,)"
      R"("since":"2026-11-20T20:43:20.000Z","since_monotonic_ns":3592000000000,"incarnation":0,"restarts":0,)"
      R"("waiting_for":[],"waiting_for_services":[],"last_error":null,"status_text":null,"readiness_method":"notify","readiness_polling":null,"notify":null,"time_to_ready_ns":12000000},)"
      R"({"name":"api","type":"daemon","state":"waiting","ready":false,"wanted":true,"pid":null,)"
      R"("since":"2026-11-20T20:43:28.000Z","since_monotonic_ns":3600000000000,"incarnation":0,"restarts":0,)"
      R"("waiting_for":["db ready"],"waiting_for_services":["db"],"last_error":null,"status_text":null,"readiness_method":null,"readiness_polling":null,"notify":null,"time_to_ready_ns":null}]})"
      "\n");
}

TEST_F(ApiTest, one_service_can_be_shown) {
  stack.add("db");
  EXPECT_THAT(ask(get("/v1/services/db")).body, HasSubstr(R"({"name":"db","type":"daemon","state":"ready")"));
  EXPECT_EQ(ask(get("/v1/services/nobody")).status, 404);
}

TEST_F(ApiTest, whoever_misspells_a_service_is_told_which_one_he_may_have_meant) {
  stack.add("database");
  for (const char* target :
       {"/v1/services/databse", "/v1/why/databse", "/readyz/databse", "/v1/wait?service=databse",
        "/v1/logs?service=databse", "/v1/events?service=databse"}) {
    const Response response = ask(get(target));
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_THAT(response.body, HasSubstr("named databse; did you mean database?")) << target;
  }
  EXPECT_THAT(ask(get("/v1/services/nobody")).body, HasSubstr("named nobody\""));
}

TEST_F(ApiTest, an_unknown_path_is_404_and_says_where_to_look) {
  const Response response = ask(get("/v2"));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, problem_json);
  EXPECT_THAT(response.body, HasSubstr("/v1/services"));
}

TEST_F(ApiTest, a_wrong_method_is_405_with_the_right_ones) {
  stack.add("db");
  const Response reading = ask(post("/readyz"));
  EXPECT_EQ(reading.status, 405);
  EXPECT_EQ(reading.allow, "GET, HEAD");
  const Response commanding = ask(get("/v1/services/db/stop"));
  EXPECT_EQ(commanding.status, 405);
  EXPECT_EQ(commanding.allow, "POST");
}

TEST_F(ApiTest, metrics_come_from_their_source) {
  const Response response = ask(get("/metrics"));
  EXPECT_EQ(response.body, "up 1\n");
  EXPECT_EQ(response.content_type, prometheus_text);
}

TEST_F(ApiTest, a_malformed_target_is_400) {
  EXPECT_EQ(ask(get("*")).status, 400);
  EXPECT_EQ(ask(get("/readyz?exclude=%")).status, 400);
}

TEST_F(ApiTest, another_host_gets_health_and_metrics_only) {
  stack.add("db");
  for (const char* path : {"/livez", "/readyz?verbose", "/startupz", "/healthz", "/readyz/db", "/metrics"}) {
    EXPECT_EQ(ask(get(path), Access::health_only, true).status, 200) << path;
  }
  for (const char* path : {"/v1/services", "/v1/services/db", "/v1/wait?service=db"}) {
    EXPECT_EQ(ask(get(path), Access::health_only, true).status, 403) << path;
  }
}

TEST_F(ApiTest, loopback_reads_but_does_not_command) {
  stack.add("db");
  EXPECT_EQ(ask(get("/v1/services"), Access::read_only, true).status, 200);
  EXPECT_EQ(ask(post("/v1/services/db/stop"), Access::read_only, true).status, 403);
  EXPECT_EQ(ask(post("/v1/shutdown"), Access::read_only, true).status, 403);
  EXPECT_TRUE(stack.shutdown_reason.empty());
}

// Every text that a ServiceView has, so that one that is added and shown is noticed.
TEST_F(ApiTest, over_tcp_nothing_is_shown_that_somebody_said) {
  ServiceView& api = stack.add("api", State::failed);
  api.last_error = "http://user:SECRET@db/: refused";
  api.status_text = "SECRET";
  api.readiness_method = "http SECRET";
  api.readiness_polling = "asked every SECRET";
  api.waiting_for = {"db ready"};
  api.bells = {{"warm", false}};
  for (const char* path : {"/readyz", "/readyz?verbose", "/readyz/api", "/healthz?verbose",
                           "/startupz?verbose", "/v1/services", "/v1/services/api", "/metrics"}) {
    for (const char* accept : {"", "application/health+json"}) {
      const std::string shown = ask(get(path, accept), Access::read_only, true).body;
      EXPECT_THAT(shown, testing::Not(HasSubstr("SECRET"))) << path;
    }
  }
  EXPECT_THAT(ask(get("/readyz"), Access::read_only, true).body, HasSubstr("[-]api failed\n"));
  EXPECT_THAT(ask(get("/readyz")).body, HasSubstr("SECRET")) << "the control socket tells all";
  EXPECT_THAT(ask(get("/v1/services/api")).body, HasSubstr("SECRET"));
}

TEST_F(ApiTest, over_tcp_a_service_has_these_fields_and_no_others) {
  ServiceView& db = stack.add("db");
  db.pid = 4711;
  db.last_error = db.status_text = db.readiness_method = db.readiness_polling = "text";
  db.bells = {{"warm", true}};
  db.time_to_ready = std::chrono::milliseconds(12);
  EXPECT_EQ(
      ask(get("/v1/services/db"), Access::read_only, true).body,
      R"({"name":"db","type":"daemon","state":"ready","ready":true,"wanted":true,"pid":4711,)"
      R"("since":"2026-11-20T20:43:28.000Z","since_monotonic_ns":3600000000000,"incarnation":0,"restarts":0,)"
      R"("bells":{"warm":true},"waiting_for":[],"waiting_for_services":[],"last_error":null,"status_text":null,"readiness_method":null,)"
      R"("readiness_polling":null,"notify":null,"time_to_ready_ns":12000000,"past_runs":[]})"
      "\n");
}

TEST_F(ApiTest, what_runs_took_that_are_over_is_shown_of_one_service_and_over_tcp_too) {
  stack.add("db");
  stack.fake(0).past_runs.push_back({.number = 2,
                                     .started_at = std::chrono::seconds(3599),
                                     .wall = std::chrono::milliseconds(900),
                                     .ready_after = std::chrono::milliseconds(3),
                                     .cpu_user = std::chrono::microseconds(5),
                                     .cpu_system = std::chrono::microseconds(6),
                                     .peak_memory = 4096,
                                     .peak_is_bound = true,
                                     .oom_kills = 1,
                                     .end = "killed by SIGKILL"});
  stack.fake(0).past_runs.push_back({.number = 3});
  for (const bool over_tcp : {false, true}) {
    EXPECT_THAT(
        ask(get("/v1/services/db"), over_tcp ? Access::read_only : Access::full, over_tcp).body,
        HasSubstr(
            R"("past_runs":[{"incarnation":2,"started":"2026-11-20T20:43:27.000Z",)"
            R"("started_monotonic_ns":3599000000000,"wall_ns":900000000,"time_to_ready_ns":3000000,)"
            R"("cpu_user_ns":5000,"cpu_system_ns":6000,"peak_memory_bytes":4096,"peak_memory_is_bound":true,)"
            R"("oom_kills":1,"end":"killed by SIGKILL"},{"incarnation":3,)"));
  }
  EXPECT_THAT(ask(get("/v1/services")).body, testing::Not(HasSubstr("past_runs")));
}

TEST_F(ApiTest, a_foreign_name_for_loopback_gets_health_only) {
  Request rebound = get("/v1/services");
  rebound.host = "attacker.example:9600";
  EXPECT_EQ(ask(rebound, Access::read_only, true).status, 403);
  EXPECT_EQ(ask(rebound, Access::full, false).status, 200) << "the control socket's Host header is ignored";
}

TEST_F(ApiTest, a_foreign_user_of_the_control_socket_gets_nothing) {
  EXPECT_EQ(ask(get("/livez"), Access::none).status, 403);
}

TEST_F(ApiTest, shutdown_is_begun_and_not_waited_for) {
  EXPECT_EQ(ask(post("/v1/shutdown")).status, 202);
  EXPECT_FALSE(stack.shutdown_reason.empty());
}

TEST(Access, names_of_this_host) {
  for (const char* host : {"localhost", "LOCALHOST:9600", "127.0.0.1:9600", "[::1]:9600", "10.0.0.7",
                           "a.localhost", "localhost."}) {
    EXPECT_TRUE(names_this_host(host)) << host;
  }
  for (const char* host : {"example.com", "localhost.example.com", "127.0.0.1.nip.io", "xlocalhost"}) {
    EXPECT_FALSE(names_this_host(host)) << host;
  }
}

// api waits for db, which has failed.
void break_db(FakeStack& stack) {
  stack.add("api", State::waiting);
  stack.add("db", State::failed);
  ServiceFacts api, db;
  api.name = "api";
  api.state = State::waiting;
  api.waits.push_back({.on = 1, .condition = "ready"});
  db.name = "db";
  db.state = State::failed;
  db.words = "it said hunter2";
  db.log = {"hunter2"};
  stack.facts.stack = "shop";
  stack.facts.services = {api, db};
  stack.facts.asked = {0, 1};
}

TEST_F(ApiTest, why_is_answered_for_a_service_and_for_the_stack) {
  break_db(stack);
  const Response one = ask(get("/v1/why/api"));
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.content_type, application_json);
  EXPECT_THAT(
      one.body,
      HasSubstr(
          R"("service":"api","ready":false,"headline":"api waits for db: db does not start: it said hunter2","culprit":"db")"));
  EXPECT_THAT(ask(get("/v1/why")).body,
              HasSubstr(R"("service":null,"ready":false,"headline":"shop is not ready: db)"));
  EXPECT_EQ(ask(get("/v1/why/nobody")).status, 404);
}

TEST_F(ApiTest, why_says_over_tcp_who_waits_for_whom_and_no_words) {
  break_db(stack);
  const Response shown = ask(get("/v1/why/api"), Access::read_only, true);
  EXPECT_THAT(shown.body, HasSubstr(R"("headline":"api waits for db: db is failed")"));
  EXPECT_EQ(shown.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(ask(get("/v1/why/api"), Access::health_only, true).status, 403);
}

TEST_F(ApiTest, why_is_told_to_a_person_as_text) {
  break_db(stack);
  const Response text = ask(get("/v1/why/api?format=text"));
  EXPECT_EQ(text.content_type, text_plain);
  EXPECT_TRUE(text.body.starts_with("api waits for db: db does not start: it said hunter2\n"));
  Request by_accept = get("/v1/why/api");
  by_accept.accept = "text/plain";
  EXPECT_EQ(ask(by_accept).body, text.body);
  EXPECT_EQ(ask(get("/v1/why?format=yaml")).status, 400);
}

}  // namespace
}  // namespace belfry::daemon::http
