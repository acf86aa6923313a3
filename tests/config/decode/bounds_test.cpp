// Small files that ask for a lot: they are refused, in time and memory that do not depend on what they ask.
#include <gtest/gtest.h>

#include <ctime>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

std::string numbered(int count, std::string_view before, std::string_view behind) {
  std::string out;
  for (int i = 0; i < count; ++i) out.append(before).append(std::to_string(i)).append(behind);
  return out;
}
std::string variables(int count) { return "{" + numbered(count, "K", ": vvvvvvvvvvvvvvvv, ") + "}"; }

struct Answer {
  std::string rule;  // of the only error, or all that was said
  double seconds = 0;
};
// Processor time: what others do on the machine does not count.
Answer answer_to(const std::string& text, const std::map<std::string, std::string>& environment = {}) {
  const std::clock_t start = std::clock();
  const Loaded result = loaded(text, environment);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (result.diagnostics.errors() == 1 && result.diagnostics.size() == 1)
    return {std::string(result.diagnostics[0].rule), seconds};
  return {text_of(result.diagnostics).substr(0, 2000), seconds};
}
constexpr double bounded = 20;  // under a sanitiser; without bounds each of them takes minutes or all memory

void expect_refused(const std::string& text, const std::map<std::string, std::string>& environment = {}) {
  const Answer answer = answer_to(text, environment);
  EXPECT_EQ(answer.rule, "too-large") << text.substr(0, 200);
  EXPECT_LT(answer.seconds, bounded) << text.substr(0, 200);
}

TEST(Bounds, defaults_cannot_multiply_without_end) {
  expect_refused("defaults: {environment: " + variables(4000) + "}\nservices:\n" +
                 numbered(20'000, "  s", ": {command: \"true\"}\n"));
  expect_refused("defaults: {environment: " + variables(4000) + "}\nservices:\n" +
                 numbered(20'000, "  s", ": {command: \"true\", environment: {A: b}}\n"));
}
TEST(Bounds, neither_can_extends) {
  expect_refused("services:\n  base: {command: \"true\", environment: " + variables(4000) + "}\n" +
                 numbered(20'000, "  s", ": {extends: base}\n"));
  std::string chain = "  c0: {command: \"true\", environment: " + variables(4000) + "}\n";
  for (int i = 1; i < 30; ++i)
    chain += "  c" + std::to_string(i) + ": {extends: c" + std::to_string(i - 1) + ", environment: {A: b}}\n";
  expect_refused("services:\n" + chain + numbered(20'000, "  s", ": {extends: c29, environment: {A: b}}\n"));
}
TEST(Bounds, neither_can_replicas) {
  expect_refused("services: {s: {command: \"true\", replicas: 10000, environment: " + variables(4000) +
                 "}}\n");
}
TEST(Bounds, neither_can_tuning_beside_any) {
  expect_refused("services: {s: {command: \"true\", ready: {any: [" + numbered(20'000, "{file: f", "}, ") +
                 "], " + numbered(4000, "x-", ": 1, ") + "}}}\n");
}
TEST(Bounds, variables_cannot_add_up_without_end) {
  const std::map<std::string, std::string> big{{"V", std::string(1'000'000, 'v')}};
  expect_refused(
      "services: {s: {command: \"true\", environment: {" + numbered(1000, "A", ": \"$V\", ") + "}}}\n", big);
  expect_refused(
      "services: {s: {command: \"true\", environment: {" + numbered(1000, "A", ": \"${V:+x}\", ") + "}}}\n",
      big);
  expect_refused("services:\n" + numbered(1000, "  s", ": {command: \"true\", environment: [V]}\n"), big);
  expect_refused("services:\n" + numbered(1000, "  s", ": {command: \"true\", environment: {V: }}\n"), big);
}
TEST(Bounds, neither_can_variables_in_env_files) {
  const Directory dir;
  const std::string path =
      dir.write("big.env", "A=" + std::string(100'000, 'v') + "\n" + numbered(10'000, "A", "=$A\n"));
  expect_refused("services: {s: {command: \"true\", env_file: " + path + "}}\n");
}
TEST(Bounds, the_place_where_variables_become_too_much_is_shown) {
  const std::map<std::string, std::string> big{{"V", std::string(1'000'000, 'v')}};
  const Loaded result = loaded(
      "services:\n  s:\n    command: \"true\"\n    environment:\n" + numbered(1000, "      A", ": \"$V\"\n"),
      big);
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].where.line, 5U + 67U);  // 67 000 000 are in 64 MiB, 68 000 000 are not
}
TEST(Bounds, large_files_that_people_have_are_within_them) {
  const std::string services =
      numbered(10'000, "  s", ": {command: [sh, --id, \"1\"], extends: base, environment: {A: \"$V\"}}\n");
  const Answer answer =
      answer_to("defaults: {restart: always, environment: " + variables(100) +
                    "}\nservices:\n  base: {command: \"true\", labels: {a: b, c: d}}\n" + services,
                {{"V", std::string(1000, 'v')}});
  EXPECT_EQ(answer.rule, "");
  EXPECT_LT(answer.seconds, bounded);
  EXPECT_EQ(answer_to("services:\n" +
                      numbered(10, "  s", ": {command: \"true\", replicas: 9000, labels: {a: b}}\n"))
                .rule,
            "");
}

}  // namespace
}  // namespace belfry::config
