// What is decided when all services are known: profiles, budgets.
#include "config/validate/validate.hpp"

#include <gtest/gtest.h>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

TEST(Profiles, enable_services_by_option_variable_and_name) {
  const std::string text =
      "services: {a: {command: x}, b: {command: x, profiles: [dev, test]}, c: {command: x, profiles: [full], "
      "depends_on: [b]}}";
  const auto enabled = [&](LoadOptions options, const std::map<std::string, std::string>& variables = {}) {
    const Loaded result = loaded(text, variables, std::move(options));
    std::string names;
    for (const Service& one : result.stack.services) names += one.enabled ? one.name : "";
    return names;
  };
  EXPECT_EQ(enabled({}), "a");
  EXPECT_EQ(enabled({.profiles = {"test"}}), "ab");
  EXPECT_EQ(enabled({}, {{"BELFRY_PROFILES", "x,dev"}}), "ab");
  EXPECT_EQ(enabled({.services = {"c"}}), "abc");
}
TEST(Profiles, a_required_dependency_that_is_disabled_is_an_error_and_an_optional_one_is_kept) {
  const std::string text =
      "services: {a: {command: x, depends_on: {b: {required: REQUIRED}}}, b: {command: x, profiles: [p]}}";
  const auto with = [&](std::string value) {
    std::string t = text;
    return t.replace(t.find("REQUIRED"), 8, value);
  };
  EXPECT_EQ(rule_of(with("true")), "disabled-dependency");
  EXPECT_EQ(good(with("false")).services[0].depends_on.size(), 1U) << "it may be started by name later";
}
TEST(Profiles, an_unknown_service_on_the_command_line_is_an_error) {
  EXPECT_EQ(rule_of("services: {a: {command: x}}", {.services = {"b"}}), "unknown-service");
}
TEST(Validate, a_service_that_cleans_up_counts_twice) {
  const std::string text = "services: {a: {command: x, stop: {timeout: 15s}POST}}";
  const auto with = [&](const std::string& more) {
    std::string t = text;
    return text_of(loaded(t.replace(t.find("POST"), 4, more)).diagnostics);
  };
  EXPECT_EQ(with(""), "");
  EXPECT_NE(with(", post_stop: ./clean").find("may take 30s (a 30s)"), std::string::npos);
}
TEST(Validate, belfry_s_own_default_timeouts_are_not_warned_of) {
  const Loaded result = loaded(
      "services: {a: {command: x}, b: {command: x, depends_on: [a]}, c: {command: x, depends_on: [b]}, d: "
      "{command: x, depends_on: [c]}}");
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
}

TEST(Validate, where_other_hosts_ask_whether_it_is_ready_the_stop_should_wait_for_them) {
  const auto is_warned_of = [](const std::string& top) {
    const Loaded result = loaded(top + "\nservices: {a: {command: x}}");
    return text_of(result.diagnostics).contains("other hosts may ask for /readyz");
  };
  EXPECT_TRUE(is_warned_of("http: {listen: \"0.0.0.0:9600\"}"));
  EXPECT_TRUE(is_warned_of("http: {listen: [\"127.0.0.1:9600\", \"[::]:9700\"]}"));
  EXPECT_FALSE(is_warned_of("http: {listen: \"0.0.0.0:9600\"}\nshutdown: {delay: 1s}"));
  for (const char* own : {"127.0.0.1:9600", "localhost:9600", "[::1]:9600", "unix:/run/http.sock"})
    EXPECT_FALSE(is_warned_of("http: {listen: \"" + std::string(own) + "\"}")) << own;
}

TEST(ValidateLogs, who_shares_a_file_rotates_it_alike) {
  const auto two = [](const std::string& a, const std::string& b) {
    return rule_of("services: {a: {command: x, log: {" + a + "}}, b: {command: x, log: {" + b + "}}}");
  };
  EXPECT_EQ(two("file: a.log", "file: a.log, format: json"), "none");
  EXPECT_EQ(two("file: a.log, max_size: 1MiB", "file: a.log, max_size: 1MiB"), "none");
  EXPECT_EQ(two("file: a.log, max_size: 1MiB", "file: b.log, max_size: 2MiB"), "none");
  EXPECT_EQ(two("file: a.log, max_size: 1MiB", "file: a.log, max_size: 2MiB"), "log-file-shared");
  EXPECT_EQ(two("file: a.log, max_size: 1MiB", "file: a.log"), "log-file-shared");
  EXPECT_EQ(rule_of("services: {a: {command: x, replicas: 3, log: {file: a.log, max_size: 1MiB}}}"), "none");
}

}  // namespace
}  // namespace belfry::config
