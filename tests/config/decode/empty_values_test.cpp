// Keys with nothing behind them: what is needed and empty is an error, never a service that counts as ready.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

std::string keys(const std::string& text) { return rule_of("services: {x: {" + text + "}}"); }

TEST(EmptyValues, a_command_without_a_value_is_an_error) {
  EXPECT_EQ(keys("command: "), "no-value");
  EXPECT_EQ(keys("command: ~"), "no-value");
  EXPECT_EQ(keys("type: oneshot, command: "), "no-value");
  EXPECT_EQ(keys("command: ''"), "bad-command");
  EXPECT_EQ(keys("command: []"), "bad-command");
  EXPECT_EQ(rule_of("services:\n  x:\n"), "missing-key");
}

TEST(EmptyValues, an_external_without_a_probe_is_an_error) {
  for (const char* ready : {"", ", ready: ", ", ready: {}", ", ready: []", ", ready: {any: []}",
                            ", ready: {tcp: }", ", ready: {any: }", ", ready: {timeout: 1s}"})
    EXPECT_NE(keys("type: external" + std::string(ready)), "none") << ready;
}

TEST(EmptyValues, every_kind_of_probe_needs_what_it_looks_at) {
  for (const char* kind : {"listen", "port", "unix", "notify", "fd", "tcp", "http", "grpc", "postgres",
                           "mysql", "redis", "exec", "log", "file", "cluster"})
    for (const char* where : {"ready: {", "live: {", "bells: {b: {"}) {
      const std::string open = where;
      const std::string close(static_cast<std::size_t>(std::ranges::count(open, '{')), '}');
      EXPECT_EQ(keys("command: a, " + open + kind + ": " + close), "no-value") << open << kind;
    }
  EXPECT_NE(keys("command: a, bells: {b: }"), "none");
  EXPECT_NE(keys("command: a, ready: {any: []}"), "none");
}

TEST(EmptyValues, every_key_whose_emptiness_changes_what_runs_is_an_error) {
  for (const char* key : {"depends_on",
                          "ready",
                          "live",
                          "bells",
                          "restart",
                          "stop",
                          "env_file",
                          "clean_environment",
                          "secrets",
                          "working_dir",
                          "user",
                          "group",
                          "umask",
                          "nice",
                          "oom_score_adj",
                          "cgroup",
                          "no_new_privileges",
                          "supplementary_groups",
                          "capabilities",
                          "cpu_affinity",
                          "io_priority",
                          "runtime_directory",
                          "state_directory",
                          "sandbox",
                          "credentials",
                          "environment_from",
                          "isolate",
                          "listen",
                          "stdin",
                          "tty",
                          "log",
                          "pre_start",
                          "post_start",
                          "pre_stop",
                          "post_stop",
                          "reload",
                          "watchdog",
                          "notify_access",
                          "fd_store",
                          "essential",
                          "main",
                          "success_exit_codes",
                          "health",
                          "profiles"})
    EXPECT_EQ(keys("command: a, " + std::string(key) + ": "), "no-value") << key;
  for (const char* inner :
       {"stop: {signal: }", "stop: {timeout: }", "restart: {limit: }", "reload: {command: }", "log: {file: }",
        "cgroup: {memory_max: }", "depends_on: {x: {condition: }}", "listen: {s: {address: }}",
        "ready: {http: 'http://h/', tls: }"})
    EXPECT_NE(keys("command: a, " + std::string(inner)), "none") << inner;
  for (const char* top :
       {"http", "control", "shutdown", "limits", "on_daemon_death", "defaults", "http: {listen", "name"}) {
    const std::string close = std::string(top).contains('{') ? "}" : "";
    EXPECT_EQ(rule_of(std::string(top) + ": " + close + "\nservices: {x: {command: a}}"), "no-value") << top;
  }
}

TEST(EmptyValues, a_text_that_a_variable_left_empty_is_an_error_too) {
  for (const char* key : {"command", "user", "group", "working_dir", "stdin", "pre_start", "listen"})
    EXPECT_NE(keys("command: a, " + std::string(key) + ": '${NOTHING:-}'"), "none") << key;
  EXPECT_EQ(rule_of("control: {socket: ''}\nservices: {x: {command: a}}"), "no-value");
  EXPECT_EQ(rule_of("control: {token_file: ''}\nservices: {x: {command: a}}"), "no-value");
}

TEST(EmptyValues, where_nothing_is_a_value_it_is_one) {
  for (const char* key : {"environment", "labels", "rlimits", "description"})
    EXPECT_TRUE(loaded("services: {x: {command: a, " + std::string(key) + ": }}").diagnostics.empty()) << key;
  EXPECT_EQ(keys("command: a, depends_on: []"), "none");
  EXPECT_EQ(keys("command: a, depends_on: {}"), "none");
}

TEST(EmptyValues, a_later_file_without_a_value_keeps_the_earlier_one) {
  const Directory dir;
  const std::string base = dir.write("base.yaml", "services: {x: {command: a, user: www}}");
  const std::string over = dir.write("over.yaml", "services: {x: {user: }}");
  const Loaded result = load(std::vector<std::string>{base, over});
  EXPECT_FALSE(result.diagnostics.has_errors()) << text_of(result.diagnostics);
  EXPECT_EQ(*result.stack.services.at(0).user, "www");
}

}  // namespace
}  // namespace belfry::config
