#include "cli/courses.hpp"

#include <gmock/gmock.h>

namespace belfry::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t ms = 1'000'000;

client::TimelineService service(std::string name, std::int64_t starting, std::optional<std::int64_t> ready) {
  client::TimelineService one;
  one.name = std::move(name);
  one.wanted_ns = 0;
  one.starting_ns = starting * ms;
  if (ready) one.ready_ns = *ready * ms;
  return one;
}

std::vector<std::string> critical(const NamedCourse& course) {
  const analyze::Analysis analysis(course.course);
  std::vector<std::string> names;
  for (const analyze::Link& link : analysis.critical_path())
    names.push_back(analysis.course().steps[link.step].name);
  return names;
}

config::Stack stack_of(const std::string& depends_on) {
  config::Stack stack;
  stack.name = "shop";
  for (const char* name : {"db", "api", "web"}) {
    config::Service& one = stack.services.emplace_back();
    one.name = name;
  }
  for (const char on : depends_on) {
    const std::size_t at = on == 'a' ? 1 : 2;
    stack.services[at].depends_on.emplace_back().service = on == 'a' ? "db" : "api";
  }
  return stack;
}

daemon::HistoryEntry entry(std::vector<daemon::HistoryService> services) {
  daemon::HistoryEntry one;
  one.services_in_all = services.size();
  one.services = std::move(services);
  return one;
}

TEST(Courses, a_timeline_is_a_course_whose_waits_are_the_edges_that_held) {
  client::TimelineReply timeline{
      .stack = "shop", .begun = {}, .begun_ns = 0, .up_ns = 130 * ms, .services = {}};
  timeline.services = {service("db", 0, 100), service("api", 100, 130)};
  timeline.services[1].edges.push_back({.on = "db", .condition = "ready", .holds_since_ns = 100 * ms});
  const NamedCourse course = course_of(timeline);
  EXPECT_THAT(critical(course), ElementsAre("db", "api"));
  EXPECT_TRUE(course.remarks.empty());
}

TEST(Courses, what_is_not_ready_or_was_started_later_is_left_out_and_named) {
  client::TimelineReply timeline{
      .stack = "shop", .begun = {}, .begun_ns = 0, .up_ns = 130 * ms, .services = {}};
  timeline.services = {service("db", 0, 100), service("api", 100, std::nullopt), service("web", 500, 510)};
  timeline.services[2].wanted_ns = 500 * ms;
  const NamedCourse course = course_of(timeline);
  EXPECT_EQ(course.course.steps.size(), 1U);
  EXPECT_THAT(course.remarks, ElementsAre(HasSubstr("api"), HasSubstr("web")));
}

TEST(Courses, of_a_start_in_the_history_the_edges_are_those_of_the_file) {
  const auto course =
      course_of_start(entry({{.name = "db", .waited = 0ms, .took = 100ms, .attempts = 1, .result = "ready"},
                             {.name = "api", .waited = 100ms, .took = 30ms, .attempts = 1, .result = "ready"},
                             {.name = "web", .waited = {}, .took = {}, .attempts = 0, .result = "waiting"}}),
                      stack_of("ab"));
  EXPECT_THAT(critical(course), ElementsAre("db", "api"));
  EXPECT_THAT(course.remarks, ElementsAre(HasSubstr("web")));
}

TEST(Courses, a_service_begins_to_stop_when_whoever_depends_on_it_has_stopped) {
  const auto course = course_of_stop(
      entry({{.name = "db", .waited = {}, .took = 100ms, .attempts = 0, .result = "inactive"},
             {.name = "api", .waited = {}, .took = 30ms, .attempts = 0, .result = "inactive"},
             {.name = "web", .waited = {}, .took = 20ms, .attempts = 0, .result = "inactive"}}),
      stack_of("ab"));
  EXPECT_THAT(critical(course), ElementsAre("web", "api", "db"));
  EXPECT_EQ(analyze::Analysis(course.course).end(), 150ms);
}

TEST(Courses, the_order_of_a_stop_goes_through_whoever_did_not_run) {
  const auto course = course_of_stop(
      entry({{.name = "db", .waited = {}, .took = 100ms, .attempts = 0, .result = "inactive"},
             {.name = "web", .waited = {}, .took = 20ms, .attempts = 0, .result = "inactive"}}),
      stack_of("ab"));
  EXPECT_THAT(critical(course), ElementsAre("web", "db"));
}

}  // namespace
}  // namespace belfry::cli
