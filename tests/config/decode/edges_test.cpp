// `depends_on`: conditions, their defaults, targets.
#include "config/decode/decode.hpp"

#include <gtest/gtest.h>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

TEST(DecodeEdges, an_edge_waits_for_ready_and_for_a_oneshot_to_complete) {
  const Stack stack = good(
      "services: {d: {command: x}, o: {type: oneshot, command: x}, a: {command: x, depends_on: [d, o]}, b: "
      "{command: x, depends_on: {d: , o: {required: false}}}}");
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(service(stack, name).depends_on.at(0).condition, Condition::ready);
    EXPECT_EQ(service(stack, name).depends_on.at(1).condition, Condition::completed);
  }
}
TEST(DecodeEdges, fills_in_the_target_of_every_edge) {
  const Stack stack =
      good("services: {a: {command: x, depends_on: [c, b]}, b: {command: x}, c: {command: x}}");
  for (const Dependency& edge : stack.services[0].depends_on)
    EXPECT_EQ(stack.services[edge.target].name, edge.service);
}
TEST(DecodeEdges, conditions_of_other_tools_are_understood) {
  const std::string text =
      "services: {d: {command: x}, o: {type: oneshot, command: x}, a: {command: x, depends_on: {d: "
      "CONDITION}}, b: {command: x, depends_on: {o: CONDITION2}}}";
  const auto with = [&](std::string a, std::string b) {
    std::string t = text;
    t.replace(t.find("CONDITION}"), 9, a);
    t.replace(t.find("CONDITION2"), 10, b);
    const Stack stack = good(t);
    return std::pair(service(stack, "a").depends_on[0].condition,
                     service(stack, "b").depends_on[0].condition);
  };
  EXPECT_EQ(with("service_healthy", "service_completed_successfully"),
            std::pair(Condition::ready, Condition::completed));
  EXPECT_EQ(with("service_started", "process_completed_successfully"),
            std::pair(Condition::started, Condition::completed));
  EXPECT_EQ(with("process_healthy", "process_completed"), std::pair(Condition::ready, Condition::stopped));
}
TEST(DecodeEdges, an_edge_may_wait_for_a_bell_of_its_dependency) {
  const Stack stack = good(
      "services: {a: {command: x, bells: {warm: {file: cache}}}, b: {command: x, depends_on: {a: warm}}}");
  EXPECT_EQ(stack.services[1].depends_on[0].condition, Condition::own_bell);
  EXPECT_EQ(stack.services[1].depends_on[0].bell, "warm");
  EXPECT_EQ(stack.services[0].extras->bells[0].probes.probes[0].target, "/nowhere/cache");
}

TEST(DecodeEdges, an_optional_edge_may_lead_to_a_service_of_a_file_that_is_not_merged) {
  const Loaded result = loaded(
      "services: {a: {command: x, depends_on: {gone: {condition: completed, required: false}, b: ready}}, "
      "b: {command: x}}");
  EXPECT_FALSE(result.diagnostics.has_errors()) << text_of(result.diagnostics);
  EXPECT_EQ(result.diagnostics.warnings(), 0U) << "it is nothing to mend";
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].severity, Severity::remark);
  EXPECT_EQ(result.diagnostics[0].rule, "absent-dependency");
  EXPECT_FALSE(result.diagnostics[0].help.empty());
  ASSERT_EQ(result.stack.services[0].depends_on.size(), 1U);
  EXPECT_EQ(result.stack.services[0].depends_on[0].service, "b");
}

TEST(DecodeEdges, a_misspelled_optional_edge_is_recognised) {
  const Loaded result =
      loaded("services: {a: {command: x, depends_on: {databse: {required: false}}}, database: {command: x}}");
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_NE(result.diagnostics[0].help.find("database"), std::string::npos);
}

TEST(DecodeEdges, a_gate_does_not_count_members_that_are_absent) {
  const std::string members = "depends_on: {b: ready, gone: {required: false}}}, b: {command: x}}";
  EXPECT_EQ(rule_of("services: {g: {type: gate, " + members), "none");
  EXPECT_EQ(rule_of("services: {g: {type: gate, require: 2, " + members), "impossible-quorum");
}

TEST(DecodeEdges, a_file_that_is_merged_brings_its_service_back) {
  const Directory dir;
  const std::string base =
      dir.write("base.yaml", "services: {a: {command: x, depends_on: {b: {required: false}}}}");
  const std::string more = dir.write("more.yaml", "services: {b: {command: x}}");
  EXPECT_EQ(load(base).stack.services.at(0).depends_on.size(), 0U);
  EXPECT_EQ(service(load(std::vector<std::string>{base, more}).stack, "a").depends_on.size(), 1U);
}

}  // namespace
}  // namespace belfry::config
