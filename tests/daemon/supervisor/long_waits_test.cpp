// Who is waited for is said after ten seconds, then ever more seldom.
#include "daemon/supervisor/long_waits.hpp"

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using daemon::LongWaits;
using daemon::Waits;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LongWait : public Rig {
 protected:
  LongWaits reminders{loop, [this](std::size_t most) { return supervisor->long_waits(most); },
                      [this](const std::string& line) { said.push_back(line); }};
  std::vector<std::string> said;
};

TEST_F(LongWait, is_told_after_ten_seconds_and_then_after_twice_as_long_each_time) {
  speaking(daemon("api"));
  up();
  reminders.look(supervisor->is_waiting());
  std::vector<int> at;
  for (int second = 1; second <= 100; ++second) {
    const std::size_t before = said.size();
    advance(1s);
    if (said.size() > before) at.push_back(second);
  }
  EXPECT_THAT(at, ElementsAre(10, 20, 40, 80));
  EXPECT_EQ(said[0], "still waiting for api (starting 10s): it has not said READY=1");
}

TEST_F(LongWait, nobody_is_named_who_only_waits_for_others) {
  speaking(daemon("db"));
  daemon("api", {"db"});
  up();
  reminders.look(supervisor->is_waiting());
  advance(10s);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], StartsWith("still waiting for db (starting"));
}

TEST_F(LongWait, ends_when_all_is_ready_and_leaves_no_timer) {
  speaking(daemon("db"));
  up();
  reminders.look(supervisor->is_waiting());
  say_ready("db");
  reminders.look(supervisor->is_waiting());
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(LongWait, who_has_failed_for_good_is_waited_for_by_nobody) {
  speaking(daemon("bad")).restart->policy = config::RestartPolicy::no;
  daemon("good");
  up();
  end("bad", 3);
  reminders.look(supervisor->is_waiting());
  advance(60s);
  EXPECT_THAT(said, ElementsAre());
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(LongWait, a_slow_stop_names_the_processes_that_are_left_and_when_they_are_killed) {
  daemon("db").stop.timeout = 30s;
  script("db", {.stops_after = std::nullopt});
  up();
  down(60s);
  reminders.look(supervisor->is_waiting());
  advance(10s);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], StartsWith("still waiting for db to stop (10s): "));
  EXPECT_THAT(said[0], HasSubstr("; killed in 20s"));
  advance(60s);
}

TEST_F(LongWait, a_service_that_fails_again_and_again_is_named_with_its_failures) {
  daemon("api").restart->delay = 1s;
  script("api", {.exits_after = 1s, .exits_with = {.signaled = false, .value = 3}});
  config::Service& api = stack.services[0];
  speaking(api);
  up();
  reminders.look(supervisor->is_waiting());
  advance(10s);
  ASSERT_FALSE(said.empty());
  EXPECT_THAT(said[0], HasSubstr("times)"));
  EXPECT_THAT(said[0], HasSubstr("exited with code 3"));
}

TEST_F(LongWait, of_very_many_a_few_are_named_and_the_rest_is_counted) {
  for (int i = 0; i < 20; ++i) speaking(daemon("s" + std::to_string(i)));
  up();
  reminders.look(supervisor->is_waiting());
  advance(10s);
  ASSERT_EQ(said.size(), 7U);
  EXPECT_EQ(said[6], "and for 14 more (`belfry status` shows them)");
}

}  // namespace
}  // namespace belfry::testing
