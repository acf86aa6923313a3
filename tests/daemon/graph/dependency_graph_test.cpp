// Each walk over the graph, on graphs that are small enough to be seen.
#include "daemon/graph/dependency_graph.hpp"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "tests/daemon/graph/fake_node.hpp"

namespace belfry::testing {
namespace {

using config::Condition;
using config::ServiceType;
using daemon::Intent;
using daemon::Node;
using daemon::State;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> names(const std::vector<Node*>& nodes) {
  std::vector<std::string> all;
  for (const Node* node : nodes) all.emplace_back(node->name());
  return all;
}

class Graph : public ::testing::Test {
 protected:
  config::Service& daemon(const std::string& name, std::initializer_list<const char*> on = {}) {
    return add(name, ServiceType::daemon, on);
  }
  config::Service& oneshot(const std::string& name, std::initializer_list<const char*> on = {}) {
    return add(name, ServiceType::oneshot, on);
  }
  config::Service& gate(const std::string& name, std::initializer_list<const char*> on = {}) {
    return add(name, ServiceType::gate, on);
  }
  FakeGraph& made() {
    if (!made_) made_.emplace(stack);
    return *made_;
  }
  FakeNode& node(std::string_view name) { return made()[name]; }
  daemon::DependencyGraph& graph() { return made().graph; }
  void all_run() {
    for (FakeNode& one : made().nodes) one.run();
  }

  config::Stack stack = a_stack();

 private:
  config::Service& add(const std::string& name, ServiceType type, std::initializer_list<const char*> on) {
    config::Service& service = a_service(stack, name, type);
    for (const char* other : on) depends(service, stack, other);
    return service;
  }
  std::optional<FakeGraph> made_;
};

TEST_F(Graph, what_is_required_comes_along_and_what_is_optional_stays) {
  daemon("db");
  daemon("cache");
  daemon("api", {"db", "cache"}).depends_on[1].required = false;
  daemon("web", {"api"});
  EXPECT_THAT(names(graph().required_closure({&node("web")})), ElementsAre("web", "api", "db"));
}

TEST_F(Graph, a_chain_of_any_length_is_walked_without_a_stack) {
  constexpr int links = 200'000;
  stack.services.reserve(links);
  daemon("0");
  for (int i = 1; i < links; ++i) {
    daemon(std::to_string(i));
    config::Dependency& edge = stack.services.back().depends_on.emplace_back();
    edge.target = static_cast<std::uint32_t>(i - 1);
  }
  Node& top = made().nodes.back();
  FakeNode& bottom = made().nodes.front();
  EXPECT_EQ(graph().required_closure({&top}).size(), static_cast<std::size_t>(links));
  made().nodes.back().run();  // all others are done, and hold what is below them
  graph().hold_everything();
  EXPECT_TRUE(bottom.is_held());
  made().nodes.back().rest();
  graph().has_gone(top);
  EXPECT_FALSE(bottom.is_held());
  EXPECT_EQ(bottom.looks, 1U);
}

TEST_F(Graph, whoever_depends_on_it_is_told_and_nobody_above_him) {
  daemon("db");
  daemon("api", {"db"});
  daemon("web", {"api"});
  graph().tell_dependents(node("db"), true);
  EXPECT_EQ(node("api").told_by_bell, 1U);
  EXPECT_EQ(node("db").watchers_told, 1U);
  EXPECT_EQ(node("web").told, 0U);
}

TEST_F(Graph, who_asks_for_the_members_of_a_gate_is_told_of_them) {
  daemon("a");
  gate("some", {"a"});
  daemon("counts", {"some"}).depends_on[0].require = config::Quorum{1};
  daemon("waits", {"some"});
  graph().tell_dependents(node("a"), true);
  EXPECT_EQ(node("counts").told, 1U);
  EXPECT_EQ(node("counts").told_by_bell, 0U) << "it was not his bell";
  EXPECT_EQ(node("some").watchers_told, 1U);
}

TEST_F(Graph, a_death_that_nobody_has_noticed_is_found_below_gates) {
  daemon("a");
  daemon("b");
  gate("both", {"a", "b"});
  gate("outer", {"both"});
  daemon("api", {"outer"});
  all_run();
  EXPECT_FALSE(graph().stands_on_dead(node("api")));
  node("b").dead = true;
  EXPECT_TRUE(graph().stands_on_dead(node("api")));
  EXPECT_TRUE(graph().has_died_unnoticed(node("both")));
  EXPECT_TRUE(graph().has_died_unnoticed(node("outer"))) << "what it stands on has";
}

TEST_F(Graph, a_gate_that_can_spare_a_member_stands) {
  daemon("a");
  daemon("b");
  gate("one", {"a", "b"}).require.count = 1;
  daemon("api", {"one"});
  all_run();
  node("b").dead = true;
  EXPECT_FALSE(graph().stands_on_dead(node("api")));
}

TEST_F(Graph, whose_work_is_done_may_be_dead) {
  oneshot("migrate");
  daemon("api", {"migrate"});
  all_run();
  node("migrate").dead = true;
  EXPECT_FALSE(graph().stands_on_dead(node("api")));
}

TEST_F(Graph, who_has_started_since_the_stop_was_asked_for_is_not_waited_for) {
  daemon("db");
  daemon("api", {"db"});
  all_run();
  node("api").is.started_in = 5;
  EXPECT_TRUE(graph().is_awaiting_others(node("db"), 6));
  EXPECT_FALSE(graph().is_awaiting_others(node("db"), 5));
}

TEST_F(Graph, who_can_do_with_the_other_members_of_a_gate_is_not_waited_for) {
  daemon("a");
  gate("some", {"a"});
  daemon("api", {"some"});
  all_run();
  EXPECT_FALSE(graph().is_awaiting_others(node("a"), 9)) << "it was not asked";
  node("api").is.intent = Intent::rest;
  EXPECT_TRUE(graph().is_awaiting_others(node("a"), 9));
}

TEST_F(Graph, who_has_gone_makes_those_below_look_again_that_are_to_stop) {
  daemon("db");
  daemon("other");
  gate("some", {"db"});
  daemon("api", {"some", "other"});
  all_run();
  node("db").is.intent = Intent::rest;
  node("api").rest();
  graph().has_gone(node("api"));
  EXPECT_EQ(node("db").looks, 1U);
  EXPECT_EQ(node("other").looks, 0U);
}

TEST_F(Graph, when_everything_goes_what_has_ended_holds_as_well) {
  daemon("db");
  oneshot("migrate", {"db"});
  daemon("api", {"migrate"});
  node("db").run();
  node("api").run();
  node("migrate").is.state = State::completed;
  graph().hold_everything();
  EXPECT_TRUE(graph().is_awaiting_others(node("db"), 0));
  node("api").rest();
  graph().has_gone(node("api"));
  EXPECT_FALSE(graph().is_awaiting_others(node("db"), 0));
}

TEST_F(Graph, who_stands_on_a_root_must_stop_with_it_dependencies_first) {
  daemon("db");
  daemon("api", {"db"});
  daemon("web", {"api", "db"});
  daemon("other");
  all_run();
  EXPECT_THAT(names(graph().who_must_stop({&node("db")})), ElementsAre("db", "api", "web"));
}

TEST_F(Graph, enough_members_of_a_gate_keep_those_above_it_up) {
  daemon("a");
  daemon("b");
  gate("one", {"a", "b"}).require.count = 1;
  daemon("api", {"one"});
  all_run();
  EXPECT_THAT(names(graph().who_must_stop({&node("a")})), ElementsAre("a"));
  EXPECT_THAT(names(graph().who_must_stop({&node("a"), &node("b")})), ElementsAre("a", "b", "one", "api"));
}

TEST_F(Graph, nobody_stands_on_what_does_not_run) {
  daemon("db");
  daemon("api", {"db"});
  node("api").run();
  EXPECT_THAT(names(graph().who_must_stop({&node("db")})), ElementsAre("db"));
}

TEST_F(Graph, a_failure_at_the_bottom_blocks_those_above) {
  daemon("db");
  daemon("api", {"db"});
  daemon("web", {"api"});
  node("db").is.state = State::failed;
  node("api").is.state = State::blocked;
  EXPECT_TRUE(graph().is_blocked_by_failure(node("web")));
  node("db").is.state = State::inactive;
  EXPECT_FALSE(graph().is_blocked_by_failure(node("web")));
}

TEST_F(Graph, a_gate_can_spare_some_hopeless_edges) {
  daemon("a");
  daemon("b");
  gate("one", {"a", "b"}).require.count = 1;
  node("a").is.state = State::failed;
  node("b").is.state = State::waiting;
  EXPECT_EQ(node("one").hopeless_edge(), nullptr);
  node("b").is.state = State::failed;
  ASSERT_NE(node("one").hopeless_edge(), nullptr);
  EXPECT_EQ(node("one").hopeless_edge()->on->name(), "a");
}

TEST_F(Graph, the_budget_of_a_stop_is_shared_out_along_the_edges) {
  daemon("db").stop.timeout = 20s;
  daemon("api", {"db"}).stop.timeout = 10s;
  all_run();
  const TimePoint now{1h};
  const auto shares = graph().plan_stop(now, now + 25s);
  EXPECT_EQ(shares[1].end_by, now + 25s - shares[0].kept) << "the database's time is its own";
  EXPECT_EQ(shares[0].end_by, now + 25s);
}

}  // namespace
}  // namespace belfry::testing
