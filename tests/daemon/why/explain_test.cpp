#include "daemon/why/explain.hpp"

#include <gmock/gmock.h>

#include "daemon/why/sentence.hpp"
#include "daemon/why/text.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

ServiceFacts service(std::string name, State state) {
  ServiceFacts facts;
  facts.name = std::move(name);
  facts.state = state;
  facts.for_long = 2s;
  return facts;
}
ServiceFacts waiting(std::string name, std::vector<std::size_t> on) {
  ServiceFacts facts = service(std::move(name), State::waiting);
  for (const std::size_t one : on) facts.waits.push_back({.on = one, .condition = "ready"});
  return facts;
}
ServiceFacts failed(std::string name, std::string words) {
  ServiceFacts facts = service(std::move(name), State::failed);
  facts.reason = Reason::ended;
  facts.words = std::move(words);
  return facts;
}
StackFacts about(std::vector<ServiceFacts> services, std::size_t asked = 0) {
  StackFacts stack;
  stack.stack = "shop";
  stack.services = std::move(services);
  stack.asked = {asked};
  return stack;
}

TEST(Explain, names_the_end_of_the_chain_in_the_first_line) {
  const Explanation why =
      explain(about({waiting("api", {1}), waiting("migrate", {2}), failed("db", "it exited with code 3")}));
  EXPECT_EQ(why.headline, "api waits for migrate → db: db does not start: it exited with code 3");
  EXPECT_EQ(why.culprit, "db");
  ASSERT_EQ(why.chain.size(), 3U);
  EXPECT_EQ(why.chain[1].text, "waits for db ready");
  EXPECT_EQ(why.chain[2].depth, 2U);
  EXPECT_TRUE(why.chain[2].is_culprit);
}

TEST(Explain, of_several_that_are_missing_blames_the_one_that_will_not_come_right_by_itself) {
  EXPECT_EQ(
      explain(about({waiting("api", {1, 2}), service("slow", State::starting), failed("db", "x")})).culprit,
      "db");
  EXPECT_EQ(explain(about({waiting("api", {1, 2}), service("slow", State::starting),
                           service("cache", State::backoff)}))
                .culprit,
            "cache");
}

TEST(Explain, of_two_alike_blames_the_one_that_has_been_so_for_longest) {
  ServiceFacts old = service("old", State::starting);
  old.for_long = 1h;
  EXPECT_EQ(explain(about({waiting("api", {1, 2}), service("young", State::starting), old})).culprit, "old");
}

TEST(Explain, blames_a_required_one_before_one_that_only_has_to_settle) {
  ServiceFacts api = waiting("api", {1, 2});
  api.waits[0].required = false;
  EXPECT_EQ(explain(about({api, service("a", State::starting), service("b", State::starting)})).culprit, "b");
}

TEST(Explain, says_the_reason_of_an_end_before_what_followed_from_it) {
  ServiceFacts db = failed("db", "it exited with code 1 before it was ready");
  db.finding = "port 5432 is taken by pid 811 (postgres, user postgres)";
  db.log = {"FATAL: no"};
  const Explanation why = explain(about({db}));
  EXPECT_EQ(
      why.headline,
      "db does not start: port 5432 is taken by pid 811 (postgres, user postgres) (it exited with code 1 "
      "before it was ready)");
}

TEST(Explain, quotes_the_last_line_of_a_service_that_ended_for_no_known_reason) {
  ServiceFacts db = failed("db", "it exited with code 1");
  db.log = {"first", "no licence", ""};
  EXPECT_THAT(explain(about({db})).headline, HasSubstr("its last line: \"no licence\""));
}

TEST(Explain, says_what_comes_next_and_when) {
  ServiceFacts db = service("db", State::backoff);
  db.reason = Reason::ended;
  db.next_in = 3200ms;
  const Explanation why = explain(about({waiting("api", {1}), db}));
  EXPECT_THAT(why.headline, HasSubstr("; retry in 3.2 s"));
  ASSERT_FALSE(why.next.empty());
  EXPECT_EQ(why.next[0].text, "db starts again in 3.2 s");
  EXPECT_EQ(why.next[0].in, 3200ms);
}

TEST(Explain, says_which_process_to_end_where_a_port_is_taken) {
  ServiceFacts db = failed("db", "it exited with code 1");
  db.finding = "port 80 is taken";
  db.taken_port = 80;
  db.taken_by = 811;
  EXPECT_THAT(explain(about({db})).help.front(), HasSubstr("`kill 811`"));
}

TEST(Explain, a_circle_of_waits_is_explained_and_ends) {
  const Explanation why = explain(about({waiting("a", {1}), waiting("b", {0})}));
  EXPECT_THAT(why.headline, StartsWith("a waits for b"));
}

TEST(Explain, a_chain_of_ten_thousand_is_walked_without_recursion_and_shown_in_part) {
  std::vector<ServiceFacts> services;
  for (std::size_t i = 0; i < 9999; ++i) services.push_back(waiting("s" + std::to_string(i), {i + 1}));
  services.push_back(failed("root", "it is broken"));
  const Explanation why = explain(about(std::move(services)));
  EXPECT_EQ(why.headline,
            "s0 waits for s1 → s2 → s3 → … → s9997 → s9998 → root: root does not start: it is broken");
  EXPECT_LE(why.chain.size(), 41U);
  EXPECT_EQ(why.chain.size() + why.left_out, 10000U);
  EXPECT_TRUE(why.chain.back().is_culprit);
}

TEST(Explain, of_a_stack_groups_those_who_wait_by_whom_they_wait_for) {
  StackFacts stack = about({waiting("api", {2}), waiting("web", {0}), failed("db", "it is broken"),
                            service("cache", State::starting)});
  stack.about_stack = true;
  stack.asked = {0, 1, 2, 3};
  const Explanation why = explain(stack);
  EXPECT_EQ(why.headline, "shop is not ready: db does not start: it is broken; and 1 other");
  ASSERT_EQ(why.chain.size(), 4U);
  EXPECT_EQ(why.chain[0].service, "db");
  EXPECT_EQ(why.chain[1].service, "api");
  EXPECT_EQ(why.chain[2].service, "web");
  EXPECT_EQ(why.chain[3].service, "cache");
  EXPECT_TRUE(why.chain[3].is_culprit);
}

TEST(Explain, of_a_gate_says_how_many_hold) {
  ServiceFacts gate = waiting("quorum", {2});
  gate.state = State::blocked;
  gate.members = 3;
  gate.needed = 2;
  gate.holding = 1;
  EXPECT_THAT(explain(about({waiting("api", {1}), gate, failed("b", "x")})).headline,
              HasSubstr("; quorum has 1 of the 2 that it needs"));
}

TEST(Explain, who_waits_for_an_end_is_told_that_it_has_not_come) {
  ServiceFacts api = waiting("api", {1});
  api.waits[0].condition = "stopped";
  const Explanation why = explain(about({api, service("db", State::ready)}));
  EXPECT_EQ(why.headline, "api waits for db: db has to stop first, and it is ready");
  EXPECT_THAT(why.help, testing::ElementsAre("`belfry stop db`"));
}

TEST(Explain, a_service_that_is_ready_has_no_culprit) {
  const Explanation why = explain(about({service("api", State::ready)}));
  EXPECT_TRUE(why.ready);
  EXPECT_EQ(why.headline, "api is ready, for 2.0 s");
  EXPECT_EQ(why.culprit, "");
}

TEST(Explain, the_text_shows_nothing_that_a_terminal_obeys) {
  ServiceFacts db = failed("db", "it said \033[31mred");
  db.log = {"\033]0;title\a"};
  const std::string text = text_of(explain(about({db})));
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\a'), std::string::npos);
}

TEST(SpanText, is_short_and_exact_enough) {
  EXPECT_EQ(span_text(0s), "0 ms");
  EXPECT_EQ(span_text(-1s), "0 ms");
  EXPECT_EQ(span_text(999'400us), "999 ms");
  EXPECT_EQ(span_text(999'600us), "1.0 s");
  EXPECT_EQ(span_text(3200ms), "3.2 s");
  EXPECT_EQ(span_text(59'960ms), "1 min 0 s");
  EXPECT_EQ(span_text(252s), "4 min 12 s");
  EXPECT_EQ(span_text(3780s), "1 h 3 min");
}

}  // namespace
}  // namespace belfry::daemon
