#include "config/merge.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

// Laying the mapping `high` over `low`, both as YAML; the result as flow text.
class MergeTest : public testing::Test {
 protected:
  Node const& parse(std::string text) {
    diagnostics_.sources().emplace_back("f", std::move(text));
    return *document_.parse(diagnostics_, static_cast<std::uint32_t>(diagnostics_.sources().size() - 1));
  }
  static std::string flow(Node const& node) {
    std::string out;
    if (node.is_mapping()) {
      for (Entry const& e : node.entries())
        out += (out.empty() ? "" : ", ") + std::string(e.key->text()) + ": " + flow(*e.value);
      return "{" + out + "}";
    }
    if (node.is_sequence()) {
      for (Node const* item : node.items()) out += (out.empty() ? "" : ", ") + flow(*item);
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
  Node const* const result = merge(document_, parse(low + "}"), parse(high + "}"));
  EXPECT_EQ(result->size, 100U);
  EXPECT_EQ(result->find("k10")->text(), "high");
  EXPECT_EQ(result->find("k11")->text(), "low");
}
TEST_F(MergeTest, neither_side_is_changed) {
  Node const& low = parse("{a: {b: 1}}");
  Node const& high = parse("{a: {c: 2}}");
  (void)merge(document_, low, high);
  EXPECT_EQ(flow(low) + flow(high), "{a: {b: 1}}{a: {c: 2}}");
}

}  // namespace
}  // namespace belfry::config
