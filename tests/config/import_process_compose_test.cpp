#include <gtest/gtest.h>

#include "import_helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

Imported import(std::string const& processes, std::string const& top = "") {
  return import_process_compose("processes: {" + processes + "}\n" + top, "p", "/srv");
}
Stack stack_of(std::string const& processes, std::string const& top = "") {
  return imported(import(processes, top));
}

TEST(ImportProcessCompose, runs_commands_through_its_shell_only_where_one_is_needed) {
  Stack const stack = stack_of("a: {command: 'x y'}, b: {command: 'x $HOME | y'}");
  EXPECT_EQ(service(stack, "a").command, (Command{"x", "y"}));
  EXPECT_EQ(service(stack, "b").command, (Command{"bash", "-c", "x $HOME | y"}));
  EXPECT_EQ(stack_of("a: {command: 'x | y'}", "shell: {shell_command: zsh, shell_argument: -ec}")
                .services.at(0)
                .command,
            (Command{"zsh", "-ec", "x | y"}));
}
TEST(ImportProcessCompose, keeps_one_main_service) {
  Stack const stack = stack_of(
      "a: {command: x, availability: {exit_on_end: true}}, b: {command: y, availability: {exit_on_end: "
      "true}}");
  EXPECT_TRUE(service(stack, "a").main);
  EXPECT_TRUE(service(stack, "b").essential);
}
TEST(ImportProcessCompose, makes_edges_to_disabled_processes_optional) {
  EXPECT_NO_THROW(stack_of(
      "a: {command: x, disabled: true}, b: {command: y, depends_on: {a: {condition: process_started}}}"));
}
TEST(ImportProcessCompose, carries_availability_and_shutdown) {
  Stack const stack = stack_of(
      "a: {command: x, availability: {restart: on_failure, backoff_seconds: 2, max_restarts: 5}, shutdown: "
      "{signal: 2, timeout_seconds: 7, command: 'bye now'}}, b: {command: y, availability: {restart: "
      "exit_on_failure}}");
  Service const& a = service(stack, "a");
  EXPECT_EQ(a.restart->policy, RestartPolicy::on_failure);
  EXPECT_EQ(a.restart->delay, 2s);
  EXPECT_EQ(a.restart->limit, 5U);
  EXPECT_EQ(a.stop.signal, 2);
  EXPECT_EQ(a.stop.timeout, 7s);
  EXPECT_EQ(a.extras->pre_stop, (Command{"bye", "now"}));
  EXPECT_TRUE(service(stack, "b").essential);
  EXPECT_EQ(service(stack, "b").restart->policy, RestartPolicy::no);
}
TEST(ImportProcessCompose, carries_both_kinds_of_probes) {
  Stack const stack = stack_of(
      "a: {command: x, readiness_probe: {http_get: {host: h, scheme: https, path: p, num_port: 8, headers: "
      "{A: b}, status_code: 204}, period_seconds: 3}, liveness_probe: {exec: {command: 'c d'}, "
      "failure_threshold: 4}}");
  Service const& a = service(stack, "a");
  EXPECT_EQ(a.ready.probes.at(0).target, "https://h:8/p");
  EXPECT_EQ(a.ready.probes.at(0).period, 3s);
  EXPECT_EQ(a.ready.probes.at(0).http->statuses.at(0).first, 204);
  EXPECT_EQ(a.live->probes.at(0).command, (Command{"c", "d"}));
  EXPECT_EQ(a.live->probes.at(0).failure_threshold, 4U);
}
TEST(ImportProcessCompose, a_probe_of_neither_kind_is_none) {
  EXPECT_TRUE(stack_of("a: {command: x, readiness_probe: {period_seconds: 3}}").services.at(0).ready.empty());
}
TEST(ImportProcessCompose, a_ready_log_line_is_text_and_no_expression) {
  EXPECT_EQ(
      stack_of("a: {command: x, ready_log_line: 'up (all) $x.'}").services.at(0).ready.probes.at(0).target,
      "up \\(all\\) \\$x\\.");
}
TEST(ImportProcessCompose, fills_templates_in_and_lists_those_it_cannot) {
  Imported const result =
      import("a: {command: 'x {{.A}} {{ .B }} {{ if .C }}', vars: {B: '2'}}", "vars: {A: 1, B: 0}");
  EXPECT_TRUE(result.yaml.contains("x, \"1\", \"2\"")) << result.yaml;
  EXPECT_TRUE(says(result, "the template `{{ if .C }}` is not carried over"));
}
TEST(ImportProcessCompose, hands_its_environment_to_all) {
  Stack const stack = stack_of("a: {command: x, environment: [B=2]}", "environment: [A=1, B=1]");
  EXPECT_EQ(value_of(stack.services.at(0).environment, "A"), "1");
  EXPECT_EQ(value_of(stack.services.at(0).environment, "B"), "2");
}
TEST(ImportProcessCompose, paths_count_from_where_it_was_started) {
  EXPECT_TRUE(import("a: {command: x, working_dir: ./sub, env_file: [e.env]}")
                  .yaml.contains("env_file: [\"../e.env\"]"));
  EXPECT_TRUE(
      says(import("a: {command: x, working_dir: /sub, log_location: a.log}"), "log: {file: /srv/a.log}"));
}
TEST(ImportProcessCompose, gives_a_terminal_to_whoever_had_one) {
  EXPECT_TRUE(stack_of("a: {command: x, is_tty: true}").services.at(0).extras->tty);
}
TEST(ImportProcessCompose, lists_every_key_it_does_not_know) {
  Imported const result = import("a: {command: x, novel: {y: z}}", "news: 1");
  EXPECT_TRUE(says(result, "`novel` of `a` is not carried over"));
  EXPECT_TRUE(says(result, "`news` is not carried over"));
}
TEST(ImportProcessCompose, takes_any_shape_of_any_key) {
  for (char const* key : {"command", "entrypoint", "environment", "env_file", "depends_on", "availability",
                          "shutdown", "readiness_probe", "liveness_probe", "ready_log_line", "vars",
                          "working_dir", "replicas", "namespace", "disabled", "log_location", "is_daemon"})
    for (char const* value : {"", "[]", "{}", "[[a]]", "{a: {b: c}}", "text", "5", "[null]", "{a: }"}) {
      Imported const result =
          import(std::string("a: {") + (std::string_view(key) == "command" ? "" : "command: x, ") + key +
                 ": " + value + "}");
      Document document;
      Diagnostics diagnostics;
      diagnostics.sources().emplace_back("out", result.yaml);
      EXPECT_NE(document.parse(diagnostics, 0), nullptr) << key << ": " << value << "\n" << result.yaml;
      EXPECT_FALSE(result.diagnostics.has_errors()) << key << ": " << value;
    }
}

}  // namespace
}  // namespace belfry::config
