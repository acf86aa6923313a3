#include "report/trace.hpp"

#include <gmock/gmock.h>

#include <set>

namespace belfry::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Each value of a key that is a text, in their order.
std::vector<std::string> values(const std::string& json, const std::string& key) {
  std::vector<std::string> found;
  const std::string before = "\"" + key + "\":\"";
  for (std::size_t at = json.find(before); at != std::string::npos; at = json.find(before, at + 1)) {
    const std::size_t begin = at + before.size();
    found.push_back(json.substr(begin, json.find('"', begin) - begin));
  }
  return found;
}

Run shop() {
  report::Run run{.stack = "shop", .version = "1", .id = 0x1234, .begun_ns = 1'000'000'000};
  run.services = {{.name = "db", .type = "daemon", .state = "ready"},
                  {.name = "api", .type = "daemon", .state = "ready"}};
  run.services[1].edges = {{.on = "db", .condition = "ready"}};
  const auto state = [&](Duration at, std::string service, std::string what, std::int64_t incarnation) {
    run.events.push_back({.at = at,
                          .time = {},
                          .kind = "state",
                          .service = std::move(service),
                          .what = std::move(what),
                          .incarnation = incarnation});
  };
  state(0ms, "db", "waiting", 0);
  state(0ms, "db", "starting", 1);
  state(0ms, "api", "waiting", 0);
  state(200ms, "db", "ready", 1);
  state(200ms, "api", "starting", 1);
  state(300ms, "api", "ready", 1);
  run.up = 300ms;
  run.until = 10s;
  return run;
}

TEST(Trace, has_a_span_for_the_start_for_each_incarnation_and_for_what_it_did) {
  const std::string json = otlp_json(shop());
  // db has nothing to wait for, and nobody has said when its exec succeeded.
  EXPECT_EQ(values(json, "name"), (std::vector<std::string>{"belfry", "start of shop", "up", "db", "starting",
                                                            "api", "waiting for dependencies", "starting"}));
  EXPECT_THAT(json, HasSubstr(R"("startTimeUnixNano":"1000000000","endTimeUnixNano":"1300000000")"));
}

TEST(Trace, ids_are_hexadecimal_and_every_span_has_its_own) {
  const std::string json = otlp_json(shop());
  const std::string spans = json;
  std::set<std::string> traces;
  for (const std::string& id : values(spans, "traceId")) {
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    traces.insert(id);
  }
  EXPECT_EQ(traces.size(), 1U);
  const std::vector<std::string> ids = values(spans, "spanId");
  const std::set<std::string> different(ids.begin(), ids.end());
  EXPECT_EQ(different.size(), ids.size() - 1);  // the link names one of them once more
  for (const std::string& parent : values(spans, "parentSpanId")) EXPECT_TRUE(different.contains(parent));
}

TEST(Trace, an_edge_is_a_link_to_the_incarnation_that_was_waited_for) {
  const std::string json = otlp_json(shop());
  const std::size_t link = json.find(R"("links":[{)");
  ASSERT_NE(link, std::string::npos);
  const std::string db = values(json, "spanId")[1];
  EXPECT_EQ(values(json.substr(link), "spanId").front(), db);
  EXPECT_THAT(json, HasSubstr(R"({"key":"belfry.condition","value":{"stringValue":"ready"}})"));
}

TEST(Trace, the_same_run_is_the_same_trace_and_another_run_another) {
  EXPECT_EQ(otlp_json(shop()), otlp_json(shop()));
  report::Run other = shop();
  other.id = 0x1235;
  EXPECT_NE(values(otlp_json(other), "traceId").front(), values(otlp_json(shop()), "traceId").front());
}

TEST(Trace, a_failure_has_its_cause_and_who_is_not_ready_yet_has_no_status) {
  report::Run run = shop();
  run.up.reset();
  run.events.resize(5);
  run.events.push_back(
      {.at = 250ms, .time = {}, .kind = "state", .service = "api", .what = "failed", .cause = "exit 1"});
  EXPECT_THAT(otlp_json(run), HasSubstr(R"("status":{"code":2,"message":"exit 1"}})"));
  run.events.pop_back();
  EXPECT_THAT(otlp_json(run), HasSubstr(R"("stringValue":"unfinished")"));
  EXPECT_THAT(otlp_json(run), HasSubstr(R"("endTimeUnixNano":"11000000000")"));
}

TEST(Trace, what_starts_after_the_stack_was_up_is_a_trace_of_its_own) {
  report::Run run = shop();
  run.events.push_back(
      {.at = 5s, .time = {}, .kind = "state", .service = "db", .what = "backoff", .incarnation = 1});
  run.events.push_back(
      {.at = 6s, .time = {}, .kind = "state", .service = "db", .what = "starting", .incarnation = 2});
  run.events.push_back(
      {.at = 7s, .time = {}, .kind = "state", .service = "db", .what = "ready", .incarnation = 2});
  const std::vector<std::string> traces = values(otlp_json(run), "traceId");
  EXPECT_NE(traces.back(), traces.front());
  // The start is as long as it was.
  EXPECT_THAT(otlp_json(run),
              HasSubstr(R"("startTimeUnixNano":"1000000000","endTimeUnixNano":"1300000000")"));
}

TEST(Trace, joins_the_trace_of_whoever_runs_belfry) {
  report::Run run = shop();
  run.parent_trace = "0af7651916cd43dd8448eb211c80319c";
  run.parent_span = "b7ad6b7169203331";
  const std::string json = otlp_json(run);
  EXPECT_EQ(values(json, "traceId").front(), run.parent_trace);
  EXPECT_EQ(values(json, "parentSpanId").front(), run.parent_span);
}

TEST(Trace, hostile_texts_are_json) {
  report::Run run = shop();
  run.stack = "\"}]\x1b\xFF\n";
  const std::string json = otlp_json(run);
  EXPECT_THAT(json, HasSubstr(R"({"key":"service.name","value":{"stringValue":"\"}]\u001b�\n"}})"));
}

}  // namespace
}  // namespace belfry::report
