#include "cli/stop_course.hpp"

#include <gtest/gtest.h>

namespace belfry::cli {
namespace {

using namespace std::chrono_literals;
using report::Event;

Event event(Duration at, std::string kind, std::string service, std::string what) {
  return {
      .at = at, .time = "T", .kind = std::move(kind), .service = std::move(service), .what = std::move(what)};
}

// db ← migrate (done long ago) ← api ← all (a gate); cron stands alone.
report::Run shop() {
  report::Run run{.stack = "shop", .version = "1"};
  run.services = {{.name = "db", .type = "daemon", .state = "ready"},
                  {.name = "migrate", .type = "oneshot", .state = "completed"},
                  {.name = "api", .type = "daemon", .state = "ready"},
                  {.name = "all", .type = "gate", .state = "ready"},
                  {.name = "cron", .type = "daemon", .state = "ready"}};
  run.services[1].edges = {{.on = "db", .condition = "ready"}};
  run.services[2].edges = {{.on = "migrate", .condition = "completed"}};
  run.services[3].edges = {{.on = "api", .condition = "ready"}};
  run.events = {event(1s, "state", "api", "stopping"),   event(2s, "state", "api", "inactive"),
                event(10s, "stack", "", "stopping"),     event(10s, "state", "all", "stopping"),
                event(10s, "state", "all", "inactive"),  event(10s, "state", "api", "stopping"),
                event(10s, "state", "cron", "stopping"), event(11s, "state", "cron", "inactive"),
                event(13s, "state", "api", "inactive"),  event(13s, "state", "db", "stopping"),
                event(14s, "state", "db", "inactive")};
  return run;
}

TEST(StopCourse, counts_from_the_request_and_knows_who_had_to_go_first) {
  const auto stop = stop_of(shop());
  ASSERT_TRUE(stop);
  const analyze::Analysis analysis(stop->course);
  EXPECT_EQ(analysis.end(), 4s);
  std::vector<std::string> path;
  for (const analyze::Link& link : analysis.critical_path())
    path.push_back(analysis.course().steps[link.step].name);
  // Through who did not run any more, and through the gate: neither is anything to wait for.
  EXPECT_EQ(path, (std::vector<std::string>{"api", "db"}));
  EXPECT_TRUE(stop->remarks.empty());
}

TEST(StopCourse, names_who_was_not_gone_yet) {
  report::Run run = shop();
  run.events.pop_back();
  const auto stop = stop_of(run);
  ASSERT_TRUE(stop);
  ASSERT_EQ(stop->remarks.size(), 1U);
  EXPECT_EQ(stop->remarks[0], "not stopped when this was written down: db");
}

TEST(StopCourse, there_is_none_while_nobody_has_asked_the_stack_to_stop) {
  report::Run run = shop();
  run.events.resize(2);  // a service alone was stopped
  EXPECT_FALSE(stop_of(run));
}

}  // namespace
}  // namespace belfry::cli
