#include "cli/run_record.hpp"

#include <gmock/gmock.h>

#include <map>

#include "config/model/model.hpp"

namespace belfry::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* timeline =
    R"({"stack":"shop","now_monotonic_ns":9000,"begun":"2026-11-30T12:00:00.250Z","begun_monotonic_ns":1000,
  "up":null,"up_monotonic_ns":null,"services":[
  {"name":"db","state":"ready","incarnation":1,"wanted_monotonic_ns":1000,"starting_monotonic_ns":1000,"started_monotonic_ns":1500,"ready_monotonic_ns":2000,
   "stopped_monotonic_ns":null,"edges":[]},
  {"name":"api","state":"failed","incarnation":2,"wanted_monotonic_ns":1000,"starting_monotonic_ns":2000,"started_monotonic_ns":2500,"ready_monotonic_ns":null,
   "stopped_monotonic_ns":3000,"edges":[{"on":"db","condition":"ready","required":true,"holds_since_monotonic_ns":2000}]}]})";
constexpr const char* services =
    R"({"stack":"shop","ready":false,"hopeless":"api has failed","now_monotonic_ns":9000,"services":[
  {"name":"db","type":"daemon","state":"ready","ready":true,"wanted":true,"restarts":0,"outputs":{"KEY":"***"},"readiness_method":"notify"},
  {"name":"api","type":"daemon","state":"failed","ready":false,"wanted":true,"restarts":1,"last_error":"exit 3"}]})";
constexpr const char* events = R"({"run":"2a","missed":3,"since":2,"more":false,"events":[
  {"sequence":1,"time":"T1","monotonic_ns":1000,"kind":"stack","service":null,"event":"begun","cause":null,"evidence":null},
  {"sequence":2,"time":"T2","monotonic_ns":2000,"kind":"state","service":"db","incarnation":1,"from":"starting","state":"ready","cause":null,
   "evidence":{"probe":"notify","place":0,"port":null,"pid":7,"words":null}}]})";

// A daemon that says what is written above, and "404" to everything else.
RunSource daemon_of(std::map<std::string, std::string> answers) {
  const auto get = [answers](const std::string& target) -> client::Expected<client::Reply> {
    const auto found = answers.find(target);
    if (found == answers.end()) return client::Reply{.status = 404, .body = "{}"};
    return client::Reply{.status = 200, .body = found->second};
  };
  const auto follow = [](const std::string&, const RunSource::Take& take) -> client::Expected<client::Reply> {
    take("id: 1\ndata: {\"time\":\"T\",\"service\":\"db\",\"stream\":\"stderr\",\"line\":\"hel");
    take("lo\"}\n\nevent: end\ndata:\n\n");
    return client::Reply{.status = 200, .body = {}};
  };
  return {.get = get, .follow = follow};
}

std::map<std::string, std::string> answers() {
  return {{"/v1/timeline", timeline},
          {"/v1/services", services},
          {"/v1/events?since=0", events},
          {"/v1/why?format=text", "shop is not ready: api failed\n\nmore\n"},
          {"/v1/why/api?format=text", "api failed\n"}};
}

TEST(RunRecord, holds_what_the_daemon_says_counted_from_the_beginning) {
  RunRecord record;
  const RunSource source = daemon_of(answers());
  ASSERT_TRUE(record.take_state(source));
  ASSERT_TRUE(record.take_story(source));
  const report::Run& run = record.run();
  EXPECT_EQ(run.stack, "shop");
  EXPECT_EQ(run.begun_ns, 1796040000250000000);
  EXPECT_EQ(run.id, 0x2aU);
  EXPECT_EQ(run.until, 8000ns);
  ASSERT_EQ(run.services.size(), 2U);
  EXPECT_EQ(run.services[0].ready_at, 1000ns);
  EXPECT_THAT(run.services[0].outputs, ElementsAre(Pair("KEY", "***")));
  EXPECT_EQ(run.services[1].incarnation, 2);
  ASSERT_EQ(run.services[1].edges.size(), 1U);
  EXPECT_EQ(run.services[1].edges[0].on, "db");
  ASSERT_EQ(run.events.size(), 2U);
  EXPECT_EQ(run.events[1].at, 1000ns);
  EXPECT_EQ(run.events[1].evidence, "notify from pid 7");
  EXPECT_EQ(run.events_missed, 3U);
  ASSERT_EQ(run.lines.size(), 1U);
  EXPECT_EQ(run.lines[0].text, "hello");
  ASSERT_EQ(run.whys.size(), 2U);
  EXPECT_EQ(run.whys[1].service, "api");
}

TEST(RunRecord, tells_a_start_in_vain_from_one_that_goes_on) {
  RunRecord record;
  ASSERT_TRUE(record.take_state(daemon_of(answers())));
  EXPECT_EQ(record.run().outcome, report::Outcome::bad);
  EXPECT_EQ(record.run().headline, "shop is not ready: api failed");
  // What has failed is no step of the start: it never came to its end.
  ASSERT_TRUE(record.run().start);
  EXPECT_EQ(record.run().start->course.steps.size(), 1U);
  EXPECT_THAT(record.run().start->remarks, ElementsAre(HasSubstr("api")));
}

TEST(RunRecord, of_an_end_the_exit_code_decides_and_the_blame_is_told) {
  RunRecord record;
  const RunSource source = daemon_of(answers());
  ASSERT_TRUE(record.take_state(source));
  record.ended(3, "pytest exited with code 3", "db died");
  EXPECT_EQ(record.run().verdict, "exit 3");
  EXPECT_EQ(record.run().headline,
            "Ended: pytest exited with code 3; db died; shop is not ready: api failed");
  EXPECT_EQ(record.run().outcome, report::Outcome::bad);
}

TEST(RunRecord, an_answer_that_is_missing_is_a_failure_and_no_page_with_holes) {
  for (const char* missing : {"/v1/timeline", "/v1/services", "/v1/why?format=text"}) {
    auto some = answers();
    some.erase(missing);
    EXPECT_FALSE(RunRecord().take_state(daemon_of(some))) << missing;
  }
  auto some = answers();
  some.erase("/v1/events?since=0");
  EXPECT_FALSE(RunRecord().take_story(daemon_of(some)));
}

TEST(RunRecord, of_the_history_the_last_start_and_its_stop_are_left) {
  config::Stack stack;
  stack.name = "shop";
  stack.services.resize(1);
  stack.services[0].name = "db";
  daemon::HistoryEntry start, stop;
  start.took = 2s;
  start.services = {{.name = "db", .waited = 0s, .took = 2s, .attempts = 2, .result = "ready"}};
  stop.kind = daemon::HistoryEntry::Kind::stop;
  stop.exit_code = 143;
  stop.reason = "SIGTERM";
  const report::Run run = run_of_history(stack, &start, &stop);
  EXPECT_EQ(run.verdict, "exit 143");
  EXPECT_EQ(run.outcome, report::Outcome::bad);
  EXPECT_EQ(run.up, 2s);
  ASSERT_EQ(run.services.size(), 1U);
  EXPECT_EQ(run.services[0].restarts, 1);
  EXPECT_EQ(run.services[0].ready_at, 2s);
  EXPECT_THAT(run.headline, HasSubstr("Ended: SIGTERM"));
}

}  // namespace
}  // namespace belfry::cli
