#include "analyze/course.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace belfry::analyze {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// A step whose edges are held by the ends of others.
Step step(std::string name, Duration begin, Duration took, std::vector<Wait> waits = {}) {
  return {
      .name = std::move(name), .wanted = {}, .begin = begin, .end = begin + took, .waits = std::move(waits)};
}
Wait ready(std::size_t on, Duration held) { return {.on = on, .condition = "ready", .held = held}; }

std::vector<std::string> names(const Analysis& analysis) {
  std::vector<std::string> all;
  for (const Link& link : analysis.critical_path()) all.push_back(analysis.course().steps[link.step].name);
  return all;
}

// db takes 1 s and cache 400 ms; api waits for both and takes 300 ms.
Course shop() {
  return {{step("db", 0s, 1s), step("cache", 0s, 400ms),
           step("api", 1s, 300ms, {ready(0, 1s), ready(1, 400ms)})}};
}

TEST(Course, the_critical_path_leads_back_from_the_last_end_by_the_event_that_came_last) {
  const Analysis analysis(shop());
  EXPECT_EQ(analysis.end(), 1300ms);
  EXPECT_THAT(names(analysis), ElementsAre("db", "api"));
  EXPECT_EQ(analysis.critical_path()[0].took, 1s);
  EXPECT_EQ(analysis.critical_path()[0].condition, "ready");
  EXPECT_EQ(analysis.critical_path()[1].took, 300ms);
}

TEST(Course, slack_is_what_another_path_has_left) {
  const Analysis analysis(shop());
  EXPECT_EQ(analysis.slack(0), 0s);
  EXPECT_EQ(analysis.slack(1), 600ms);
  EXPECT_EQ(analysis.slack(2), 0s);
}

TEST(Course, what_is_gained_ends_where_another_path_becomes_critical) {
  const Analysis analysis(shop());
  EXPECT_EQ(analysis.end() - analysis.end_if(0, 200ms), 200ms);
  EXPECT_EQ(analysis.end() - analysis.end_if(0, 1s), 600ms);
  EXPECT_EQ(analysis.end() - analysis.end_if(1, 400ms), 0s);
  const auto gains = analysis.gains();
  ASSERT_EQ(gains.size(), 2U);
  EXPECT_EQ(gains[0].earlier, 600ms);
  EXPECT_EQ(gains[1].earlier, 300ms);
}

TEST(Course, who_waits_for_a_begin_gains_nothing_from_a_faster_end) {
  // api waits until db has started, 10 ms after its begin, and not until it is ready.
  const Analysis analysis(
      {{step("db", 0s, 100ms), step("api", 10ms, 500ms, {{.on = 0, .condition = "started", .held = 10ms}})}});
  EXPECT_THAT(names(analysis), ElementsAre("db", "api"));
  EXPECT_EQ(analysis.critical_path()[0].took, 10ms);
  EXPECT_EQ(analysis.end_if(0, 50ms), 510ms);
  EXPECT_EQ(analysis.end_if(0, 95ms), 505ms);  // it cannot start after it is ready
  EXPECT_EQ(analysis.slack(0), 410ms);
}

TEST(Course, a_pause_before_a_begin_stays) {
  const Analysis analysis({{step("db", 0s, 1s), step("api", 1200ms, 300ms, {ready(0, 1s)})}});
  EXPECT_EQ(analysis.critical_path()[1].waited, 200ms);
  EXPECT_EQ(analysis.end_if(0, 1s), 500ms);
}

TEST(Course, a_start_that_was_asked_for_late_begins_the_path) {
  Course course = shop();
  course.steps.push_back({.name = "late", .wanted = 2s, .begin = 2s, .end = 3s, .waits = {ready(0, 1s)}});
  const Analysis analysis(std::move(course));
  EXPECT_THAT(names(analysis), ElementsAre("late"));
  EXPECT_EQ(analysis.critical_path()[0].waited, 2s);
  EXPECT_EQ(analysis.slack(0), 1s);
}

TEST(Course, what_held_only_later_or_by_an_earlier_run_is_no_reason) {
  const Analysis analysis({{step("db", 500ms, 1s), step("api", 200ms, 100ms, {ready(0, 1500ms)}),
                            step("web", 450ms, 2s, {ready(0, 400ms)})}});
  EXPECT_THAT(names(analysis), ElementsAre("web"));
  EXPECT_EQ(analysis.end_if(0, 1s), 2450ms);
}

TEST(Course, nothing_has_no_path) {
  const Analysis analysis(Course{});
  EXPECT_EQ(analysis.end(), 0s);
  EXPECT_TRUE(analysis.critical_path().empty());
  EXPECT_TRUE(analysis.gains().empty());
}

TEST(Course, a_circle_is_somebodys_mistake_and_ends_all_the_same) {
  const Analysis analysis({{step("a", 0s, 0s, {ready(1, 0s)}), step("b", 0s, 0s, {ready(0, 0s)})}});
  EXPECT_EQ(analysis.end(), 0s);
}

// A random graph, carried out: each step begins a while after the last event that it waits for.
Course random_course(std::mt19937& random, std::size_t count) {
  const auto some = [&random](int most) {
    return std::chrono::milliseconds(random() % static_cast<unsigned>(most));
  };
  Course course;
  for (std::size_t i = 0; i < count; ++i) {
    Step step{.name = "s" + std::to_string(i), .wanted = some(20), .waits = {}};
    Duration latest = step.wanted;
    for (std::size_t n = random() % 4; n > 0 && i > 0; --n) {
      const std::size_t on = random() % i;
      const Step& other = course.steps[on];
      const Duration took = other.end - other.begin;
      const bool of_begin = random() % 3 == 0 && took > 0ms;
      const Duration held = of_begin ? other.begin + Duration(took.count() / 2) : other.end + some(2);
      step.waits.push_back({.on = on, .condition = of_begin ? "started" : "ready", .held = held});
      latest = std::max(latest, held);
    }
    step.begin = latest + some(3);
    step.end = step.begin + some(100);
    course.steps.push_back(std::move(step));
  }
  return course;
}

// What Analysis::end_if must be, said once more and slowly: every step looks at its waits again.
Duration brute_force(const Course& course, std::size_t changed, Duration faster) {
  std::vector<Duration> begin(course.steps.size()), end(course.steps.size());
  Duration last{0};
  for (std::size_t i = 0; i < course.steps.size(); ++i) {
    const Step& step = course.steps[i];
    Duration then = step.wanted, now = step.wanted;
    for (const Wait& wait : step.waits) {
      const Step& on = course.steps[wait.on];
      then = std::max(then, wait.held);
      now = std::max(now, wait.held >= on.end
                              ? end[wait.on] + (wait.held - on.end)
                              : std::min(begin[wait.on] + (wait.held - on.begin), end[wait.on]));
    }
    begin[i] = now + (step.begin - then);
    end[i] = begin[i] + std::max<Duration>(step.end - step.begin - (i == changed ? faster : Duration{0}), 0s);
    last = std::max(last, end[i]);
  }
  return last;
}

TEST(Course, of_random_graphs_the_path_is_as_long_as_the_whole_and_has_no_slack) {
  std::mt19937 random(16);
  for (int round = 0; round < 300; ++round) {
    const Analysis analysis(random_course(random, 1 + random() % 25));
    Duration length{0};
    for (const Link& link : analysis.critical_path()) length += link.waited + link.took;
    ASSERT_EQ(length, analysis.end());
    ASSERT_EQ(analysis.end_if(0, 0s), analysis.end());
    // The last of the path ends last; of the others the event that counts does not move with their end
    // unless it is their end.
    ASSERT_EQ(analysis.slack(analysis.critical_path().back().step), 0s);
    for (std::size_t n = 0; n + 1 < analysis.critical_path().size(); ++n) {
      const Link& link = analysis.critical_path()[n];
      const Step& one = analysis.course().steps[link.step];
      if (one.begin + link.took >= one.end) {
        ASSERT_EQ(analysis.slack(link.step), 0s);
      }
    }
  }
}

TEST(Course, of_random_graphs_slack_and_what_if_are_what_brute_force_finds) {
  std::mt19937 random(61);
  for (int round = 0; round < 300; ++round) {
    const Course course = random_course(random, 1 + random() % 20);
    const Analysis analysis(course);
    for (std::size_t i = 0; i < course.steps.size(); ++i) {
      for (const Duration faster : {Duration(1ms), Duration(17ms), Duration(1s)})
        ASSERT_EQ(analysis.end_if(i, faster), brute_force(course, i, faster));
      const Duration slack = analysis.slack(i);
      ASSERT_EQ(brute_force(course, i, -slack), analysis.end());
      ASSERT_GT(brute_force(course, i, -slack - 1ns), analysis.end());
    }
  }
}

TEST(Course, a_chain_of_ten_thousand_is_analysed_without_recursion) {
  Course course;
  for (std::size_t i = 0; i < 10'000; ++i) {
    const Duration at = std::chrono::milliseconds(i);
    course.steps.push_back(
        step("s" + std::to_string(i), at, 1ms, i == 0 ? std::vector<Wait>() : std::vector{ready(i - 1, at)}));
  }
  const Analysis analysis(std::move(course));
  EXPECT_EQ(analysis.critical_path().size(), 10'000U);
  EXPECT_EQ(analysis.end(), 10s);
}

}  // namespace
}  // namespace belfry::analyze
