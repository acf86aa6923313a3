// `depends_on`: conditions, their defaults, targets.
#include "config/decode.hpp"

#include <gtest/gtest.h>

#include "helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

TEST(DecodeEdges, an_edge_waits_for_ready_and_for_a_oneshot_to_complete) {
  Stack const stack = good(
      "services: {d: {command: x}, o: {type: oneshot, command: x}, a: {command: x, depends_on: [d, o]}, b: "
      "{command: x, depends_on: {d: , o: {required: false}}}}");
  for (char const* name : {"a", "b"}) {
    EXPECT_EQ(service(stack, name).depends_on.at(0).condition, Condition::ready);
    EXPECT_EQ(service(stack, name).depends_on.at(1).condition, Condition::completed);
  }
}
TEST(DecodeEdges, fills_in_the_target_of_every_edge) {
  Stack const stack =
      good("services: {a: {command: x, depends_on: [c, b]}, b: {command: x}, c: {command: x}}");
  for (Dependency const& edge : stack.services[0].depends_on)
    EXPECT_EQ(stack.services[edge.target].name, edge.service);
}
TEST(DecodeEdges, conditions_of_other_tools_are_understood) {
  std::string const text =
      "services: {d: {command: x}, o: {type: oneshot, command: x}, a: {command: x, depends_on: {d: "
      "CONDITION}}, b: {command: x, depends_on: {o: CONDITION2}}}";
  auto const with = [&](std::string a, std::string b) {
    std::string t = text;
    t.replace(t.find("CONDITION}"), 9, a);
    t.replace(t.find("CONDITION2"), 10, b);
    Stack const stack = good(t);
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
  Stack const stack = good(
      "services: {a: {command: x, bells: {warm: {file: cache}}}, b: {command: x, depends_on: {a: warm}}}");
  EXPECT_EQ(stack.services[1].depends_on[0].condition, Condition::own_bell);
  EXPECT_EQ(stack.services[1].depends_on[0].bell, "warm");
  EXPECT_EQ(stack.services[0].extras->bells[0].probes.probes[0].target, "/nowhere/cache");
}

}  // namespace
}  // namespace belfry::config
