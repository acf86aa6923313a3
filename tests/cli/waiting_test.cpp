#include "cli/waiting.hpp"

#include <gtest/gtest.h>

namespace belfry::cli {
namespace {

using client::WaitSchedule;

using namespace std::chrono_literals;
using Due = WaitSchedule::Due;

const TimePoint began{1h};

TEST(WaitSchedule, reminders_come_ever_more_seldom) {
  WaitSchedule schedule(began);
  EXPECT_EQ(schedule.look(began + 9s), Due::nothing);
  for (const auto at : {10s, 20s, 40s, 80s, 160s}) {
    EXPECT_EQ(schedule.next(), began + at);
    EXPECT_EQ(schedule.look(began + at), Due::reminder);
    EXPECT_EQ(schedule.look(began + at + 1s), Due::nothing);
  }
}

TEST(WaitSchedule, reminders_that_were_missed_are_one) {
  WaitSchedule schedule(began);
  EXPECT_EQ(schedule.look(began + 50s), Due::reminder);
  EXPECT_EQ(schedule.next(), began + 80s);
}

TEST(WaitSchedule, the_timeout_ends_it) {
  WaitSchedule schedule(began, 15s);
  EXPECT_EQ(schedule.look(began + 10s), Due::reminder);
  EXPECT_EQ(schedule.next(), began + 15s);
  EXPECT_EQ(schedule.look(began + 15s), Due::end);
}

TEST(WaitSchedule, a_timeout_beyond_the_clock_is_none) {
  const WaitSchedule schedule(began, Duration::max());
  EXPECT_EQ(schedule.next(), began + 10s);
}

StackStatus stack_of(std::vector<ServiceStatus> services) {
  StackStatus status;
  status.now_ns = 40'000'000'000;
  status.services = std::move(services);
  return status;
}

ServiceStatus service(std::string name, std::string state,
                      std::vector<std::string> waiting_for_services = {}) {
  ServiceStatus made;
  made.name = std::move(name);
  made.state = std::move(state);
  made.ready = made.state == "ready";
  made.since_ns = 7'000'000'000;
  made.waiting_for_services = std::move(waiting_for_services);
  return made;
}

TEST(DescribeWait, who_stands_at_the_end_of_the_chain_is_to_blame) {
  auto api = service("api", "starting");
  api.last_error = "nobody listens on port 18999";
  const StackStatus status =
      stack_of({service("web", "waiting", {"proxy"}), service("proxy", "waiting", {"api"}), api});
  EXPECT_EQ(describe_wait(status, {"web"}, WaitingFor::up),
            "api (starting 33s): nobody listens on port 18999");
}

TEST(DescribeWait, a_crash_loop_is_told_as_one) {
  auto api = service("api", "backoff");
  api.restarts = 12;
  api.last_error = "exited with code 1";
  EXPECT_EQ(describe_wait(stack_of({api}), {"api"}, WaitingFor::up),
            "api (backoff 33s, 12 restarts): exited with code 1");
}

TEST(DescribeWait, of_several_those_that_are_ready_are_not_waited_for) {
  const StackStatus status = stack_of({service("a", "ready"), service("b", "starting")});
  EXPECT_EQ(describe_wait(status, {"a", "b"}, WaitingFor::up), "b (starting 33s)");
}

TEST(DescribeWait, many_are_counted) {
  std::vector<ServiceStatus> many;
  std::vector<std::string> names;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    many.push_back(service(name, "starting"));
    names.emplace_back(name);
  }
  EXPECT_EQ(describe_wait(stack_of(many), names, WaitingFor::up),
            "a (starting 33s); b (starting 33s); c (starting 33s); and 2 others");
}

TEST(DescribeWait, a_circle_in_a_strange_answer_has_an_end) {
  const StackStatus status = stack_of({service("a", "waiting", {"b"}), service("b", "waiting", {"a"})});
  EXPECT_EQ(describe_wait(status, {"a"}, WaitingFor::up), "b (waiting 33s)");
}

TEST(DescribeWait, going_down_it_is_who_stops_for_longest) {
  auto api = service("api", "stopping");
  api.since_ns = 1'000'000'000;
  const StackStatus status = stack_of({service("db", "ready"), service("web", "stopping"), api});
  EXPECT_EQ(describe_wait(status, {"db"}, WaitingFor::down), "api (stopping 39s); web (stopping 33s)");
  EXPECT_EQ(describe_wait(stack_of({service("db", "ready")}), {"db"}, WaitingFor::down), "db (ready 33s)");
}

TEST(DescribeWait, without_an_answer_the_names_are_left) {
  EXPECT_EQ(describe_wait({}, {"a", "b"}, WaitingFor::up), "a, b");
  EXPECT_EQ(describe_wait({}, {}, WaitingFor::down), "belfry");
}

}  // namespace
}  // namespace belfry::cli
