#include "daemon/http/api/health.hpp"

#include <gtest/gtest.h>

#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

struct Health : testing::Test, ApiWorld {
  void one_ready_one_waiting() {
    stack.add("db");
    stack.add("api", State::waiting).waiting_for = {"migrate completed", "cache ready"};
  }
};

TEST_F(Health, livez_is_ok_whatever_the_stack_does) {
  stack.add("db", State::failed);
  stack.going_down = true;
  const Response response = ask(get("/livez"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok\n");
}

TEST_F(Health, readyz_is_ok_when_everything_wanted_is_ready) {
  stack.add("db");
  stack.add("migrate", State::completed);
  EXPECT_EQ(ask(get("/readyz")).status, 200);
  EXPECT_EQ(ask(get("/readyz")).body, "ok\n");
}

TEST_F(Health, readyz_names_what_is_not_ready) {
  one_ready_one_waiting();
  const Response response = ask(get("/readyz"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "[-]api waiting for migrate completed, cache ready\nreadyz check failed\n");
}

TEST_F(Health, verbose_lists_everything) {
  one_ready_one_waiting();
  stack.add("batch", State::inactive).wanted = false;
  stack.add("extra", State::failed).ignored_by_health = true;
  EXPECT_EQ(ask(get("/readyz?verbose")).body,
            "[+]db ok\n[-]api waiting for migrate completed, cache ready\n[.]batch not wanted (inactive)\n"
            "[.]extra ignored (health: ignore)\nreadyz check failed\n");
}

TEST_F(Health, verbose_says_so_when_all_is_well) {
  stack.add("db");
  EXPECT_EQ(ask(get("/readyz?verbose=1")).body, "[+]db ok\nreadyz check passed\n");
  EXPECT_EQ(ask(get("/readyz?verbose=0")).body, "ok\n");
}

TEST_F(Health, a_failure_is_told_with_its_cause_on_one_line) {
  stack.add("api", State::failed).last_error = "cannot start api:\nexec: No such file or directory";
  EXPECT_EQ(ask(get("/readyz")).body,
            "[-]api failed: cannot start api: exec: No such file or directory\nreadyz check failed\n");
}

TEST_F(Health, an_excluded_service_does_not_count) {
  one_ready_one_waiting();
  EXPECT_EQ(ask(get("/readyz?exclude=api")).status, 200);
  EXPECT_EQ(ask(get("/readyz?exclude=db")).status, 503);
  EXPECT_EQ(ask(get("/readyz?exclude=db&exclude=api&verbose")).body,
            "[.]db excluded\n[.]api excluded\nreadyz check passed\n");
}

TEST_F(Health, a_stack_that_goes_down_is_not_ready_even_when_its_services_are) {
  stack.add("db");
  stack.going_down = true;
  const Response response = ask(get("/readyz?exclude=db"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "[-]stack shutting down\nreadyz check failed\n");
}

TEST_F(Health, one_service_can_be_asked_for) {
  one_ready_one_waiting();
  EXPECT_EQ(ask(get("/readyz/db")).status, 200);
  EXPECT_EQ(ask(get("/readyz/api")).status, 503);
  EXPECT_EQ(ask(get("/readyz/nobody")).status, 404);
}

TEST_F(Health, accept_chooses_health_json) {
  one_ready_one_waiting();
  const Response response = ask(get("/readyz", "application/health+json, */*;q=0.1"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.content_type, "application/health+json");
  EXPECT_EQ(response.body,
            "{\"status\":\"fail\",\"description\":\"shop\",\"checks\":{\"db\":[{\"status\":\"pass\"}],"
            "\"api\":[{\"status\":\"fail\",\"output\":\"waiting for migrate completed, cache ready\"}]}}\n");
}

TEST_F(Health, startupz_turns_once_the_first_start_has_completed) {
  stack.was_up = false;
  EXPECT_EQ(ask(get("/startupz")).status, 503);
  stack.was_up = true;
  stack.add("db", State::failed);
  EXPECT_EQ(ask(get("/startupz")).status, 200);
}

TEST_F(Health, healthz_adds_the_loop) {
  stack.add("db");
  EXPECT_EQ(ask(get("/healthz?verbose")).body, "[+]loop ok\n[+]db ok\nhealthz check passed\n");
}

TEST_F(Health, an_empty_stack_is_ready) { EXPECT_EQ(ask(get("/readyz")).status, 200); }

}  // namespace
}  // namespace belfry::daemon::http
