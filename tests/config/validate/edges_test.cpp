// Cycles, conditions that cannot come true, quorums. tests/config/bad has the words; here is where each
// rule begins and ends.
#include <gtest/gtest.h>

#include <algorithm>

#include "config/validate/validate.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

TEST(ValidateEdges, every_knot_has_one_cycle_with_the_place_of_each_edge) {
  const Loaded result = loaded(
      "services:\n"
      "  a: {command: x, depends_on: [b]}\n"
      "  b: {command: x, depends_on: [c]}\n"
      "  c: {command: x, depends_on: [a]}\n"
      "  d: {command: x, depends_on: [e, a]}\n"
      "  e: {command: x, depends_on: [d]}\n");
  ASSERT_EQ(result.diagnostics.errors(), 2U) << text_of(result.diagnostics);
  ASSERT_EQ(result.diagnostics[0].notes.size(), 3U);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(result.diagnostics[0].notes[i].where.line, 2 + i);
}
TEST(ValidateEdges, an_edge_that_is_not_required_closes_a_cycle_too) {
  EXPECT_EQ(rule_of("services: {a: {command: x, depends_on: [b]}, b: {command: x, depends_on: {a: {required: "
                    "false}}}}"),
            "cycle");
}
TEST(ValidateEdges, each_type_can_reach_its_own_conditions_only) {
  const auto rule = [](const std::string& target, const std::string& condition) {
    return rule_of("services: {t: {" + target + "}, x: {command: a, depends_on: {t: " + condition + "}}}");
  };
  EXPECT_EQ(rule("command: x", "completed"), "impossible-condition");
  EXPECT_EQ(rule("command: x", "stopped"), "none");
  EXPECT_EQ(rule("type: oneshot, command: x", "ready"), "impossible-condition");
  EXPECT_EQ(rule("type: oneshot, command: x, ready: {file: f}", "ready"), "none");
  EXPECT_EQ(rule("type: oneshot, command: x", "completed"), "none");
  EXPECT_EQ(rule("type: gate", "ready"), "none");
  EXPECT_EQ(rule("type: gate", "started"), "impossible-condition");
  EXPECT_EQ(rule("type: external, ready: {tcp: 'a:1'}", "stopped"), "impossible-condition");
}
TEST(ValidateEdges, a_quorum_may_ask_for_all_and_not_for_more) {
  const auto rule = [](const std::string& count) {
    return rule_of("services: {t: {command: x, replicas: 3}, x: {command: a, depends_on: {t: {require: " +
                   count + "}}}}");
  };
  EXPECT_EQ(rule("3"), "none");
  EXPECT_EQ(rule("4"), "impossible-quorum");
}

TEST(ValidateEdges, what_a_gate_is_to_do_about_a_loss_has_no_effect) {
  const auto warnings = [](const std::string& type) {
    const Loaded result =
        loaded("services: {a: {command: x}, q: {" + type + ", depends_on: {a: {on_loss: restart}}}}");
    EXPECT_FALSE(result.diagnostics.has_errors());
    return std::ranges::count(result.diagnostics, "no-effect", &Diagnostic::rule);
  };
  EXPECT_EQ(warnings("type: gate"), 1);
  EXPECT_EQ(warnings("command: x"), 0);
}

// Each layer has two gates that depend on both gates below: so many ways down that to count would freeze the
// loop.
TEST(ValidateEdges, gates_that_count_the_members_of_gates_are_bounded) {
  const auto layered = [](int layers, const std::string& edge) {
    std::string text = "services:\n  a0: {command: x}\n  b0: {command: x}\n";
    for (int i = 1; i <= layers; ++i) {
      for (const char name : {'a', 'b'}) {
        const std::string below = std::to_string(i - 1);
        const std::string how = i == 1 ? "ready" : edge;
        text.append("  ").append(1, name).append(std::to_string(i)).append(": {type: gate, depends_on: {");
        text.append("a").append(below).append(": ").append(how).append(", ");
        text.append("b").append(below).append(": ").append(how).append("}}\n");
      }
    }
    return text;
  };
  EXPECT_EQ(rule_of(layered(10, "{require: any}")), "none");
  const Loaded deep = loaded(layered(40, "{require: any}"));
  EXPECT_EQ(deep.diagnostics.errors(), 4U)
      << text_of(deep.diagnostics);  // of the lowest two, not of all above
  EXPECT_TRUE(text_of(deep.diagnostics).contains("cannot count the members of `a10`"))
      << text_of(deep.diagnostics);
  EXPECT_EQ(rule_of(layered(40, "ready")), "none");
  // However many there are of them, members that are no gates are looked at once each.
  EXPECT_EQ(
      rule_of(
          "services: {t: {command: x, replicas: 5000}, x: {command: a, depends_on: {t: {require: any}}}}"),
      "none");
}

}  // namespace
}  // namespace belfry::config
