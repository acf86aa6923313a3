#include "cli/render.hpp"

#include <gtest/gtest.h>

#include "client/client.hpp"

namespace belfry::cli {
namespace {

using client::detail_of;
using client::encoded;

using namespace std::chrono_literals;

constexpr std::string_view body = R"({"stack":"shop","ready":false,"started_up":true,"shutting_down":false,
  "now_monotonic_ns":100000000000,"services":[
  {"name":"db","type":"daemon","state":"ready","ready":true,"wanted":true,"pid":4711,
   "since_monotonic_ns":88000000000,"restarts":0,"waiting_for":[],"last_error":null,"status_text":"warm"},
  {"name":"api","type":"daemon","state":"waiting","ready":false,"wanted":true,"pid":null,
   "since_monotonic_ns":99900000000,"restarts":2,"waiting_for":["migrate completed","cache ready"],
   "last_error":"api exited with code 3","status_text":null}]})";

TEST(Render, the_status_is_a_summary_a_table_and_remarks) {
  const auto status = read_status(body);
  ASSERT_TRUE(status);
  EXPECT_EQ(render_status(*status, {}),
            "shop: not ready, 1 of 2 services ready\n"
            "\n"
            "NAME  STATE    SINCE   PID  RESTARTS  WAITING FOR\n"
            "db    ready      12s  4711         0  -\n"
            "api   waiting     0s     -         2  migrate completed, cache ready\n"
            "\n"
            "db: warm\n"
            "api: api exited with code 3\n");
}

TEST(Render, how_services_come_to_be_ready_is_said_where_they_are_asked_for_or_could_be_better) {
  auto status = read_status(body);
  ASSERT_TRUE(status);
  const std::string why = "asked every 10 ms (no CAP_SYS_ADMIN; add no_new_privileges: true)";
  status->services[0].readiness_polling = status->services[1].readiness_polling = why;
  status->services[0].readiness_method = "port 5432: " + why;
  status->services[1].readiness_method = "port 80: " + why + ", http";
  EXPECT_TRUE(render_status(*status, {}).ends_with("\n" + why + ": db, api\n"));
  status->services[1].readiness_method = "port 80: kernel event (seccomp)";
  status->services[1].readiness_polling.clear();
  EXPECT_TRUE(render_status(*status, {}).ends_with("\n" + why + ": db\n"));
  status->detailed = true;
  EXPECT_TRUE(render_status(*status, {})
                  .ends_with("\ndb: port 5432: " + why + "\napi: port 80: kernel event (seccomp)\n"));
  status->services[0].readiness_method = status->services[1].readiness_method = "notify";
  status->services[0].readiness_polling.clear();
  status->detailed = false;
  EXPECT_FALSE(render_status(*status, {}).contains("notify"));
}

TEST(Render, what_runs_took_that_are_over_is_a_table_of_its_own_the_newest_first) {
  auto status = read_status(body);
  ASSERT_TRUE(status);
  status->services[1].past_runs = client::read_past_runs(R"json({"name":"api","past_runs":[
      {"incarnation":1,"started_monotonic_ns":40000000000,"wall_ns":61000000000,"cpu_user_ns":1500000000,
       "cpu_system_ns":1000000000,"peak_memory_bytes":134217728,"peak_memory_is_bound":false,"oom_kills":1,
       "end":"killed by SIGKILL (out of memory)"},
      {"incarnation":2,"started_monotonic_ns":99000000000,"wall_ns":900000,"cpu_user_ns":400000,
       "cpu_system_ns":0,"peak_memory_bytes":2097152,"peak_memory_is_bound":true,"oom_kills":0,"end":null}]})json");
  EXPECT_FALSE(render_status(*status, {}).contains("OOM"));
  status->detailed = true;
  const std::string text = render_status(*status, {});
  EXPECT_TRUE(text.ends_with(
      "api: runs that are over\n"
      "RUN     STARTED  LASTED    CPU  PEAK MEMORY  OOM KILLS  END\n"
      "  2      1s ago   0.9ms  0.4ms   <= 2.0 MiB          0  -\n"
      "  1  1m 00s ago  1m 01s   2.5s      128 MiB          1  killed by SIGKILL (out of memory)\n"))
      << text;
  EXPECT_TRUE(client::read_past_runs("[]").empty());
  EXPECT_EQ(client::read_past_runs(R"({"past_runs":[7,{}]})").size(), 1U);
}

TEST(Render, what_services_say_cannot_move_the_cursor) {
  auto status = read_status(body);
  ASSERT_TRUE(status);
  status->services[0].status_text = "a\033[2Jb";
  EXPECT_EQ(render_status(*status, {}).find('\033'), std::string::npos);
}

TEST(Render, refused_notify_messages_are_told_with_their_reasons) {
  const auto status = read_status(
      R"({"services":[{"name":"db","state":"ready","ready":true,)"
      R"("notify":{"refused":{"stranger":2,"after_stopping":1},"descriptors_stored":0}},{"name":"api","notify":null}]})");
  ASSERT_TRUE(status);
  EXPECT_NE(render_status(*status, {}).find("db: 3 notify messages refused (stranger 2, after stopping 1)\n"),
            std::string::npos);
  EXPECT_EQ(render_status(*status, {}).find("api: "), std::string::npos);
}

TEST(Render, a_stack_without_services_is_one_line) {
  EXPECT_EQ(render_status({.stack = "x",
                           .ready = true,
                           .shutting_down = false,
                           .now_ns = 0,
                           .detailed = false,
                           .services = {}},
                          {}),
            "x: ready, 0 of 0 services ready\n");
}

TEST(Render, times_are_told_in_their_two_largest_units) {
  EXPECT_EQ(humanised(850ms), "0s");
  EXPECT_EQ(humanised(59s), "59s");
  EXPECT_EQ(humanised(192s), "3m 12s");
  EXPECT_EQ(humanised(65s), "1m 05s");
  EXPECT_EQ(humanised(2h + 5min), "2h 05m");
  EXPECT_EQ(humanised(99h), "4d 03h");
}

TEST(Status, what_is_not_a_status_is_refused) {
  for (const std::string_view text : {"", "{", "[]", "{}", "{\"services\":1}", "null"})
    EXPECT_FALSE(read_status(text)) << text;
}

TEST(Status, strange_members_do_no_harm) {
  const auto status = read_status(R"({"services":[1,{"name":5,"pid":"x","waiting_for":[1,null]}]})");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->services.size(), 1U);
}

TEST(Client, a_problem_is_told_by_its_detail) {
  EXPECT_EQ(detail_of({404, R"({"title":"Not Found","detail":"cannot find it"})"}), "cannot find it");
  EXPECT_EQ(detail_of({500, "plain"}), "plain");
  EXPECT_EQ(detail_of({500, ""}), "the answer was 500");
}

TEST(Client, names_are_encoded) { EXPECT_EQ(encoded("a b/c%é"), "a%20b%2Fc%25%C3%A9"); }

}  // namespace
}  // namespace belfry::cli
