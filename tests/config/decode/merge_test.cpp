#include "config/decode/merge.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

// Laying the mapping `high` over `low`, both as YAML; the result as flow text.
class MergeTest : public testing::Test {
 protected:
  const Node& parse(std::string text) {
    diagnostics_.sources().emplace_back("f", std::move(text));
    return *document_.parse(diagnostics_, static_cast<std::uint32_t>(diagnostics_.sources().size() - 1));
  }
  static std::string flow(const Node& node) {
    std::string out;
    if (node.is_mapping()) {
      for (const Entry& e : node.entries())
        out += (out.empty() ? "" : ", ") + std::string(e.key->text()) + ": " + flow(*e.value);
      return "{" + out + "}";
    }
    if (node.is_sequence()) {
      for (const Node* item : node.items()) out += (out.empty() ? "" : ", ") + flow(*item);
      return "[" + out + "]";
    }
    return node.is_null() ? "~" : std::string(node.text());
  }
  std::string merged(std::string low, std::string high) {
    return flow(*merge(document_, parse(std::move(low)), parse(std::move(high))));
  }

  Document document_;
  Diagnostics diagnostics_;
};

TEST_F(MergeTest, mappings_merge_key_by_key_and_the_higher_one_wins) {
  EXPECT_EQ(merged("{a: 1, b: {c: 1, d: 1}}", "{b: {c: 2}, e: 3}"), "{b: {c: 2, d: 1}, e: 3, a: 1}");
}
TEST_F(MergeTest, lists_replace) { EXPECT_EQ(merged("{a: [1, 2]}", "{a: [3]}"), "{a: [3]}"); }
TEST_F(MergeTest, a_key_without_value_leaves_what_is_below) {
  EXPECT_EQ(merged("{a: 1}", "{a: }"), "{a: 1}");
}
TEST_F(MergeTest, environments_merge_in_either_spelling) {
  EXPECT_EQ(merged("{environment: [A=1, B=1]}", "{environment: {B: 2}}"), "{environment: {B: 2, A: 1}}");
}
TEST_F(MergeTest, dependencies_merge_when_one_is_a_mapping) {
  EXPECT_EQ(merged("{depends_on: [a]}", "{depends_on: {b: started}}"), "{depends_on: {b: started, a: {}}}");
}
TEST_F(MergeTest, a_restart_policy_and_its_tuning_come_together) {
  EXPECT_EQ(merged("{restart: {delay: 1s}}", "{restart: always}"), "{restart: {policy: always, delay: 1s}}");
}
TEST_F(MergeTest, a_probe_keeps_tuning_and_changes_its_kind) {
  EXPECT_EQ(merged("{ready: {http: u, status: 200, timeout: 5s}}", "{ready: {port: 1}}"),
            "{ready: {port: 1, timeout: 5s}}");
}
TEST_F(MergeTest, large_mappings_merge_as_small_ones_do) {
  std::string low = "{", high = "{";
  for (int i = 0; i < 100; ++i) {
    low += "k" + std::to_string(i) + ": low, ";
    if (i % 2 == 0) high += "k" + std::to_string(i) + ": high, ";
  }
  const Node* const result = merge(document_, parse(low + "}"), parse(high + "}"));
  EXPECT_EQ(result->size, 100U);
  EXPECT_EQ(result->find("k10")->text(), "high");
  EXPECT_EQ(result->find("k11")->text(), "low");
}
TEST_F(MergeTest, neither_side_is_changed) {
  const Node& low = parse("{a: {b: 1}}");
  const Node& high = parse("{a: {c: 2}}");
  (void)merge(document_, low, high);
  EXPECT_EQ(flow(low) + flow(high), "{a: {b: 1}}{a: {c: 2}}");
}

// ---- what it means for services: defaults, extends, anchors

TEST(Layers, defaults_lie_under_every_service_and_skip_what_does_not_fit) {
  const Stack stack = good(
      "defaults: {user: web, stop: {timeout: 3s}, environment: {A: '1', B: '2'}}\n"
      "services: {a: {command: x, stop: {signal: SIGINT}, environment: [B=3]}, g: {type: gate}, e: {type: "
      "external, ready: {tcp: 'a:1'}}}");
  const Service& a = service(stack, "a");
  EXPECT_EQ(*a.user, "web");
  EXPECT_EQ(a.stop.timeout, 3s);
  EXPECT_EQ(a.stop.signal, SIGINT);
  EXPECT_EQ(value_of(a.environment, "A"), "1");
  EXPECT_EQ(value_of(a.environment, "B"), "3");
}
TEST(Layers, a_probe_kind_takes_the_place_of_the_kind_below) {
  const Stack stack = good(
      "defaults: {ready: {http: 'http://a/', status: 200, timeout: 7s}}\nservices: {a: {command: x, ready: "
      "{port: 1}}, b: {command: x}}");
  EXPECT_EQ(service(stack, "a").ready.probes.at(0).kind, Probe::Kind::port);
  EXPECT_EQ(service(stack, "a").ready.probes.at(0).timeout, 7s);
  EXPECT_EQ(service(stack, "b").ready.probes.at(0).kind, Probe::Kind::http);
}
TEST(Layers, tuning_in_defaults_makes_no_probe) {
  EXPECT_TRUE(
      good("defaults: {ready: {timeout: 7s}}\nservices: {a: {command: x}}").services[0].ready.empty());
}
TEST(Layers, a_policy_in_one_place_and_its_tuning_in_the_other_come_together) {
  const Stack stack = good("defaults: {restart: {delay: 1s}}\nservices: {a: {command: x, restart: always}}");
  EXPECT_EQ(stack.services[0].restart->policy, RestartPolicy::always);
  EXPECT_EQ(stack.services[0].restart->delay, 1s);
}
TEST(Layers, extends_takes_keys_over_and_lists_replace) {
  const Stack stack = good(
      "services: {base: {command: [a, b], environment: {A: '1'}, success_exit_codes: [1, 2]}, x: {extends: "
      "base, environment: {B: '2'}, success_exit_codes: [3]}, y: {extends: x, command: c}}");
  EXPECT_EQ(service(stack, "x").command, (Command{"a", "b"}));
  EXPECT_EQ(service(stack, "y").environment.size(), 2U);
  EXPECT_EQ(service(stack, "y").command, Command{"c"});
  EXPECT_EQ(service(stack, "x").extras->success_exit_codes, std::vector<int>{3});
}
TEST(Layers, extends_skips_what_does_not_fit_the_type) {
  const Stack stack = good(
      "services: {base: {command: a, live: {port: 1}, user: u}, x: {extends: base, type: oneshot}, g: "
      "{extends: base, type: gate}}");
  EXPECT_EQ(service(stack, "x").live, nullptr);
  EXPECT_EQ(*service(stack, "x").user, "u");
  EXPECT_TRUE(service(stack, "g").command.empty());
}
TEST(Layers, anchors_and_merge_keys_work) {
  const Stack stack = good("x-base: &base {command: a, user: u}\nservices: {x: {<<: *base, user: v}}");
  EXPECT_EQ(stack.services[0].command, Command{"a"});
  EXPECT_EQ(*stack.services[0].user, "v");
}

}  // namespace
}  // namespace belfry::config
