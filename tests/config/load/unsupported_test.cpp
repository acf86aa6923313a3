#include "config/load/unsupported.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "config/load/load.hpp"

namespace belfry::config {
namespace {

std::vector<std::string> refused(std::string_view text) {
  auto loaded = load_text(text, "belfry.yaml");
  EXPECT_FALSE(loaded.diagnostics.has_errors());
  refuse_unsupported(loaded);
  std::vector<std::string> lines;
  for (const Diagnostic& one : loaded.diagnostics) {
    if (one.severity != Severity::error) continue;
    EXPECT_EQ(one.rule, "not-yet");
    std::ostringstream out;
    print(one, loaded.diagnostics.sources(), out);
    lines.push_back(out.str());
  }
  return lines;
}

TEST(Unsupported, a_stack_of_what_exists_is_not_refused) {
  EXPECT_TRUE(refused("services:\n"
                      "  a: {command: sleep 1, ready: notify}\n"
                      "  b: {command: sleep 1, ready: {port: 80}, live: {http: 'http://127.0.0.1/'}}\n"
                      "  c: {command: sleep 1, ready: {exec: [\"true\"]}}\n"
                      "  d: {command: sleep 1, ready: {tcp: '127.0.0.1:5'}}\n")
                  .empty());
}

TEST(Unsupported, each_feature_is_named_with_its_place) {
  const auto lines = refused(
      "services:\n"
      "  a: {command: sleep 1, tty: true, log: inherit}\n"
      "  b: {command: sleep 1, tty: true, log: inherit}\n");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("belfry.yaml:2:")) << lines[0];
  EXPECT_NE(lines[0].find("cannot use `tty` together with `log: inherit`: this version does not support it"),
            std::string::npos);
  EXPECT_TRUE(lines[1].starts_with("belfry.yaml:3:")) << lines[1];
}

TEST(Unsupported, what_a_profile_has_switched_off_is_a_warning) {
  auto loaded = load_text(
      "services:\n"
      "  a: {command: sleep 1}\n"
      "  b: {command: sleep 1, profiles: [later], tty: true, log: inherit}\n",
      "belfry.yaml");
  refuse_unsupported(loaded);
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].severity, Severity::warning);
  EXPECT_EQ(loaded.diagnostics[0].rule, "not-yet");
}

TEST(Unsupported, a_33rd_probe_of_one_service_is_refused) {
  std::string text = "services:\n  a:\n    command: sleep 1\n    ready:\n";
  for (int i = 1; i <= 32; ++i) text += "      - {tcp: '127.0.0.1:" + std::to_string(i) + "'}\n";
  EXPECT_TRUE(refused(text).empty());
  EXPECT_EQ(refused(text + "      - {tcp: '127.0.0.1:33'}\n").size(), 1U);
}

}  // namespace
}  // namespace belfry::config
