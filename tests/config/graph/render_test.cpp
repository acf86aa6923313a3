#include "config/graph/render.hpp"

#include <gtest/gtest.h>

#include "config/document/document.hpp"
#include "config/document/report.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

Stack shop() {
  return good(
      "name: shop\nservices: {db: {command: x}, seed: {type: oneshot, command: x, depends_on: [db]}, api: "
      "{command: x, depends_on: {seed: completed, mail: {required: false}}}, mail: {type: external, ready: "
      "{tcp: 'a:1'}}}");
}

// JSON is YAML: belfry's own parser tells whether it is well formed.
const Node* parse(Document& document, Diagnostics& diagnostics, std::string text) {
  diagnostics.sources().emplace_back("json", std::move(text));
  return document.parse(diagnostics, 0);
}

TEST(Render, text_shows_ranks_and_the_longest_chain) {
  EXPECT_EQ(graph_text(shop()),
            "0    db (daemon)\n"
            "     mail (external)\n"
            "1    seed (oneshot)   after db ready\n"
            "2    api (daemon)     after seed completed, mail ready (if it comes)\n"
            "\nlongest chain: db → seed → api\n");
}
TEST(Render, recorded_times_choose_the_chain) {
  const std::string text = graph_text(shop(), [](const Service& s) {
    return s.name == "mail" ? std::optional<Duration>(60s) : std::optional<Duration>(1s);
  });
  EXPECT_NE(text.find("longest chain: mail 1m → api 1s (1m1s)"), std::string::npos) << text;
}
TEST(Render, dot_quotes_names_and_dashes_optional_edges) {
  const std::string dot = graph_dot(shop());
  EXPECT_NE(dot.find("\"db\" -> \"seed\" [label=\"ready\"];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("\"mail\" -> \"api\" [label=\"ready\", style=dashed];"), std::string::npos) << dot;
}
TEST(Render, mermaid_names_nodes_by_number) {
  const std::string text = graph_mermaid(shop());
  EXPECT_NE(text.find("s0[\"db<br/>daemon\"]"), std::string::npos) << text;
  EXPECT_NE(text.find("s3 -.->|ready| s2"), std::string::npos) << text;
}
TEST(Render, json_is_well_formed_and_whole) {
  Document document;
  Diagnostics diagnostics;
  const Node* const root = parse(document, diagnostics, graph_json(shop()));
  ASSERT_NE(root, nullptr) << text_of(diagnostics);
  EXPECT_EQ(root->find("services")->size, 4U);
  EXPECT_EQ(root->find("services")->items()[2]->find("depends_on")->items()[1]->find("required")->text(),
            "false");
  EXPECT_EQ(root->find("critical_path")->find("services")->size, 3U);
}

TEST(Render, json_has_quorums_and_bounded_waits) {
  const std::string json = graph_json(good(
      "services: {a: {command: \"true\", replicas: 3}, b: {command: \"true\"}, g: {type: gate, require: any, "
      "depends_on: [a, b]}, x: {command: \"true\", depends_on: {a: {require: 2}, g: {timeout: 1500ms}}}}"));
  EXPECT_TRUE(json.contains(R"("name": "g", "type": "gate", "enabled": true, "require": "any")")) << json;
  EXPECT_TRUE(json.contains(R"("name": "a", "type": "gate", "enabled": true, "require": "all")")) << json;
  EXPECT_TRUE(json.contains(R"("on_loss": "ignore", "require": 2, "timeout_seconds": null)")) << json;
  EXPECT_TRUE(json.contains(R"("on_loss": "ignore", "timeout_seconds": 1.500000)")) << json;
}
TEST(Report, json_counts_as_the_language_server_protocol_does) {
  const Loaded result = loaded("services:\n  x: {labels: {a: '😀'}, command: a, usr: b}\n");
  Document document;
  Diagnostics diagnostics;
  const Node* const root = parse(document, diagnostics, diagnostics_json(result.diagnostics));
  ASSERT_NE(root, nullptr) << text_of(diagnostics);
  const Node& one = *root->find("diagnostics")->items()[0];
  EXPECT_EQ(one.find("code")->text(), "unknown-key");
  EXPECT_EQ(one.find("range")->find("start")->find("line")->text(), "1");
  EXPECT_EQ(one.find("range")->find("start")->find("character")->text(), "37");
  EXPECT_EQ(one.find("range")->find("end")->find("character")->text(), "40");
  EXPECT_EQ(root->find("errors")->text(), "1");
}
TEST(Report, sarif_writes_paths_as_uris) {
  const Loaded result = load_text("a: 1", "/a dir/b%.yaml");
  EXPECT_NE(diagnostics_sarif(result.diagnostics, "1").find("\"/a%20dir/b%25.yaml\""), std::string::npos);
}
TEST(Report, sarif_names_rules_places_and_related_places) {
  const Loaded result =
      loaded("services: {a: {command: x, depends_on: [b]}, b: {command: x, depends_on: [a]}}");
  Document document;
  Diagnostics diagnostics;
  const Node* const root = parse(document, diagnostics, diagnostics_sarif(result.diagnostics, "1.0"));
  ASSERT_NE(root, nullptr) << text_of(diagnostics);
  const Node& run = *root->find("runs")->items()[0];
  const Node& one = *run.find("results")->items()[0];
  EXPECT_EQ(one.find("ruleId")->text(), "cycle");
  EXPECT_EQ(one.find("relatedLocations")->size, 2U);
  EXPECT_EQ(run.find("tool")->find("driver")->find("rules")->items()[0]->find("id")->text(), "cycle");
}

}  // namespace
}  // namespace belfry::config
