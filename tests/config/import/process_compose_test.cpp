#include <gtest/gtest.h>

#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

Imported import(const std::string& processes, const std::string& top = "") {
  return import_process_compose("processes: {" + processes + "}\n" + top, "p", "/srv");
}
Stack stack_of(const std::string& processes, const std::string& top = "") {
  return imported(import(processes, top));
}

TEST(ImportProcessCompose, runs_commands_through_its_shell_only_where_one_is_needed) {
  const Stack stack = stack_of("a: {command: 'x y'}, b: {command: 'x $HOME | y'}");
  EXPECT_EQ(service(stack, "a").command, (Command{"x", "y"}));
  EXPECT_EQ(service(stack, "b").command, (Command{"bash", "-c", "x $HOME | y"}));
  EXPECT_EQ(stack_of("a: {command: 'x | y'}", "shell: {shell_command: zsh, shell_argument: -ec}")
                .services.at(0)
                .command,
            (Command{"zsh", "-ec", "x | y"}));
}
TEST(ImportProcessCompose, two_dollars_are_one_unless_it_leaves_variables_alone) {
  EXPECT_EQ(stack_of("a: {command: 'x $$A'}").services.at(0).command, (Command{"bash", "-c", "x $A"}));
  EXPECT_EQ(stack_of("a: {command: 'x $$'}", "disable_env_expansion: true").services.at(0).command,
            (Command{"bash", "-c", "x $$"}));
}
TEST(ImportProcessCompose, keeps_one_main_service) {
  const Stack stack = stack_of(
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
  const Stack stack = stack_of(
      "a: {command: x, availability: {restart: on_failure, backoff_seconds: 2, max_restarts: 5}, shutdown: "
      "{signal: 2, timeout_seconds: 7, command: 'bye now'}}, b: {command: y, availability: {restart: "
      "exit_on_failure}}");
  const Service& a = service(stack, "a");
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
  const Stack stack = stack_of(
      "a: {command: x, readiness_probe: {http_get: {host: h, scheme: https, path: p, num_port: 8, headers: "
      "{A: b}, status_code: 204}, period_seconds: 3}, liveness_probe: {exec: {command: 'c d'}, "
      "failure_threshold: 4}}");
  const Service& a = service(stack, "a");
  EXPECT_EQ(a.ready.probes.at(0).target, "https://h:8/p");
  EXPECT_EQ(a.ready.probes.at(0).period, 3s);
  EXPECT_EQ(a.ready.probes.at(0).http->statuses.at(0).first, 204);
  EXPECT_EQ(a.live->probes.at(0).command, (Command{"c", "d"}));
  EXPECT_EQ(a.live->probes.at(0).failure_threshold, 4U);
}
TEST(ImportProcessCompose, carries_grpc_probes) {
  const Stack stack = stack_of(
      "a: {command: x, readiness_probe: {grpc: {host: h, port: 9000, service: s}}, liveness_probe: {grpc: "
      "{port: 9000}}}");
  const Service& a = service(stack, "a");
  EXPECT_EQ(a.ready.probes.at(0).kind, Probe::Kind::grpc);
  EXPECT_EQ(a.ready.probes.at(0).target, "h:9000/s");
  EXPECT_EQ(a.live->probes.at(0).target, "127.0.0.1:9000");
}
TEST(ImportProcessCompose, says_that_not_every_version_asks_over_grpc) {
  const Imported result = import("a: {command: x, readiness_probe: {grpc: {port: 9000}}}");
  EXPECT_TRUE(says(result, "`readiness_probe.grpc` of `a` is not carried over"));
  EXPECT_EQ(result.diagnostics.size(), 1U) << text_of(result.diagnostics);
}
TEST(ImportProcessCompose, asks_over_http_as_it_does) {
  const Imported result = import(
      "a: {command: x, readiness_probe: {http_get: {scheme: HTTP, path: '/a b', port: 8, method: POST, "
      "headers: {A: [b, c], D: e, F: {g: h}}}}}");
  const Stack stack = imported(result);
  const Probe& ready = stack.services.at(0).ready.probes.at(0);
  EXPECT_EQ(ready.target, "http://127.0.0.1:8/a%20b");
  EXPECT_EQ(ready.http->method, "POST");
  EXPECT_EQ(value_of(ready.http->headers, "A"), "b");
  EXPECT_EQ(value_of(ready.http->headers, "D"), "e");
  // Without `status_code` nothing but 200 is good there.
  EXPECT_EQ(ready.http->statuses.at(0).first, 200);
  EXPECT_EQ(ready.http->statuses.at(0).second, 200);
  EXPECT_TRUE(says(result, "`readiness_probe.http_get.headers.A` of `a` is not carried over"));
  EXPECT_TRUE(says(result, "`readiness_probe.http_get.headers.F` of `a` is not carried over"));
}
TEST(ImportProcessCompose, zero_and_nothing_mean_its_own_defaults) {
  const Stack stack = stack_of(
      "a: {command: x, availability: {restart: always}, shutdown: {timeout_seconds: 0}, liveness_probe: "
      "{exec: {command: c}, timeout_seconds: 0, period_seconds: 0}}");
  const Service& a = service(stack, "a");
  EXPECT_EQ(a.restart->delay, 1s);
  EXPECT_EQ(a.stop.timeout, 10s);
  EXPECT_EQ(a.live->probes.at(0).timeout, 1s);
  EXPECT_EQ(a.live->probes.at(0).period, 10s);
}
TEST(ImportProcessCompose, a_probe_that_looks_at_nothing_is_listed) {
  for (const char* probe :
       {"{period_seconds: 3}", "{exec: {command: ''}}", "{exec: {}}", "{http_get: 5}", "{tcp: {port: 1}}"}) {
    const Imported result = import(std::string("a: {command: x, readiness_probe: ") + probe + "}");
    EXPECT_TRUE(imported(result).services.at(0).ready.empty()) << probe;
    EXPECT_TRUE(says(result, "`readiness_probe` of `a` is not carried over")) << probe;
  }
}
TEST(ImportProcessCompose, lists_every_key_inside_a_key_that_it_does_not_know) {
  const Imported result = import(
      "a: {command: x, readiness_probe: {exec: {command: c, user: u, working_dir: d}, initial_delay_second: "
      "1, http_get: {port: 1}}, "
      "liveness_probe: {http_get: {port: 1, body: b}}, availability: {max_restart: 1, restart: maybe}, "
      "shutdown: {grace: 1}, "
      "depends_on: {b: {condition: process_started, foo: 1}}}, b: {command: y, liveness_probe: {tcp_socket: "
      "{port: 1}}}");
  for (const char* what :
       {"readiness_probe.exec.user", "readiness_probe.exec.working_dir",
        "readiness_probe.initial_delay_second", "readiness_probe.http_get", "liveness_probe.http_get.body",
        "availability.max_restart", "availability.restart", "shutdown.grace", "depends_on.b.foo"})
    EXPECT_TRUE(says(result, "`" + std::string(what) + "` of `a` is not carried over")) << what;
  EXPECT_TRUE(says(result, "`liveness_probe.tcp_socket` of `b` is not carried over"));
  EXPECT_TRUE(result.yaml.contains("# not carried over: depends_on.b.foo (line 1), readiness_probe."))
      << result.yaml;
}
TEST(ImportProcessCompose, lists_numbers_that_make_no_sense) {
  const Imported result = import(
      "a: {command: x, readiness_probe: {exec: {command: c}, period_seconds: -1, timeout_seconds: soon, "
      "failure_threshold: -2}, shutdown: {signal: 99, timeout_seconds: -1}, availability: {restart: always, "
      "backoff_seconds: -3}}");
  EXPECT_NO_THROW(imported(result));
  for (const char* what : {"readiness_probe.period_seconds", "readiness_probe.timeout_seconds",
                           "readiness_probe.failure_threshold", "shutdown.signal", "shutdown.timeout_seconds",
                           "availability.backoff_seconds"})
    EXPECT_TRUE(says(result, "`" + std::string(what) + "` of `a` is not carried over")) << what;
}
TEST(ImportProcessCompose, says_what_becomes_of_the_restarts_of_who_ends_the_stack) {
  const Imported result =
      import("a: {command: x, availability: {restart: on_failure, max_restarts: 3, exit_on_end: true}}");
  EXPECT_TRUE(service(imported(result), "a").main);
  EXPECT_TRUE(says(result, "`availability.restart` of `a` is not carried over"));
  EXPECT_TRUE(result.yaml.contains("# decide: `exit_on_end`")) << result.yaml;
  EXPECT_FALSE(says(import("a: {command: x, availability: {exit_on_end: true}}"), "not carried over"));
}
TEST(ImportProcessCompose, lists_values_of_another_shape) {
  for (const char* pair : {"environment: A=1", "availability: always", "shutdown: [a]", "readiness_probe: x",
                           "ready_log_line: [x]", "vars: x", "entrypoint: {a: b}", "depends_on: {b: c}"}) {
    const std::string name(std::string_view(pair).substr(0, std::string_view(pair).find(':')));
    EXPECT_TRUE(says(import("a: {command: x, " + std::string(pair) + "}"), "`" + name)) << pair;
  }
}
TEST(ImportProcessCompose, a_ready_log_line_is_text_and_no_expression) {
  EXPECT_EQ(
      stack_of("a: {command: x, ready_log_line: 'up (all) $x.'}").services.at(0).ready.probes.at(0).target,
      "up \\(all\\) \\$x\\.");
}
TEST(ImportProcessCompose, fills_templates_in_and_lists_those_it_cannot) {
  const Imported result =
      import("a: {command: 'x {{.A}} {{ .B }} {{ if .C }}', vars: {B: '2'}}", "vars: {A: 1, B: 0}");
  EXPECT_TRUE(result.yaml.contains("x, \"1\", \"2\"")) << result.yaml;
  EXPECT_TRUE(says(result, "the template `{{ if .C }}` is not carried over"));
}
TEST(ImportProcessCompose, fills_templates_of_variables_in) {
  const Imported result =
      import("a: {command: x, environment: ['P={{.A}}', 'Q={{.D.E}}', 'R={{.Z}}'], vars: {A: '2\"3'}}",
             "vars: {D: {E: f}}\nenvironment: {G: '{{.D.E}}'}");
  const Stack stack = imported(result);
  const Service& a = service(stack, "a");
  EXPECT_EQ(value_of(a.environment, "P"), "2\"3");
  EXPECT_EQ(value_of(a.environment, "Q"), "f");
  EXPECT_EQ(value_of(a.environment, "G"), "f");
  EXPECT_TRUE(says(result, "the template `{{.Z}}` is not carried over"));
}
TEST(ImportProcessCompose, hands_its_environment_to_all) {
  const Stack stack = stack_of("a: {command: x, environment: [B=2]}", "environment: [A=1, B=1]");
  EXPECT_EQ(value_of(stack.services.at(0).environment, "A"), "1");
  EXPECT_EQ(value_of(stack.services.at(0).environment, "B"), "2");
}
TEST(ImportProcessCompose, paths_count_from_where_it_was_started) {
  EXPECT_TRUE(import("a: {command: x, working_dir: ./sub, env_file: [e.env]}")
                  .yaml.contains("env_file: [{path: \"../.env\", required: false}, \"../e.env\"]"));
  EXPECT_TRUE(
      says(import("a: {command: x, working_dir: /sub, log_location: a.log}"), "log: {file: /srv/a.log}"));
}
TEST(ImportProcessCompose, gives_a_terminal_to_whoever_had_one) {
  EXPECT_TRUE(stack_of("a: {command: x, is_tty: true}").services.at(0).extras->tty);
}
TEST(ImportProcessCompose, keeps_exit_codes_that_count_as_success) {
  EXPECT_EQ(
      stack_of("a: {command: x, success_exit_codes: [130, 143]}").services.at(0).extras->success_exit_codes,
      (std::vector<int>{130, 143}));
  EXPECT_TRUE(says(import("a: {command: x, success_exit_codes: [130, 300]}"), "`success_exit_codes` of `a`"));
}

// ---- processes that extend others

TEST(ImportProcessCompose, a_process_that_adds_to_its_base_extends_it_here_too) {
  const Imported result = import(
      "base: {command: x, environment: [A=1, B=1], availability: {restart: always}, success_exit_codes: "
      "[3]}, a: "
      "{extends: base, environment: [B=2]}, b: {extends: a, command: y}");
  const Stack stack = imported(result);
  EXPECT_TRUE(result.yaml.contains("extends: base")) << result.yaml;
  EXPECT_TRUE(result.yaml.contains("extends: a")) << result.yaml;
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
  EXPECT_EQ(service(stack, "a").command, Command{"x"});
  EXPECT_EQ(service(stack, "a").restart->policy, RestartPolicy::always);
  EXPECT_EQ(service(stack, "a").extras->success_exit_codes, std::vector<int>{3});
  EXPECT_EQ(value_of(service(stack, "a").environment, "A"), "1");
  EXPECT_EQ(value_of(service(stack, "b").environment, "B"), "2");
  EXPECT_EQ(service(stack, "b").command, Command{"y"});
}
TEST(ImportProcessCompose, what_has_to_be_read_together_with_its_base_is_laid_over_it) {
  const Stack stack = stack_of(
      "base: {command: 'x {{.V}}', vars: {V: 1}, environment: [A=1], readiness_probe: {exec: {command: c}, "
      "period_seconds: 7}, availability: {restart: always, max_restarts: 4, exit_on_end: true}}, a: "
      "{extends: base, "
      "vars: {V: 2}, environment: [B=2], readiness_probe: {period_seconds: 3}, availability: {exit_on_end: "
      "false}}, "
      "b: {extends: base}");
  const Service& a = service(stack, "a");
  EXPECT_EQ(a.command, (Command{"x", "2"}));
  EXPECT_EQ(value_of(a.environment, "A"), "1");
  EXPECT_EQ(value_of(a.environment, "B"), "2");
  EXPECT_EQ(a.ready.probes.at(0).command, Command{"c"});
  EXPECT_EQ(a.ready.probes.at(0).period, 3s);
  EXPECT_EQ(a.restart->policy, RestartPolicy::always);
  EXPECT_EQ(a.restart->limit, 4U);
  EXPECT_FALSE(a.main);
  EXPECT_TRUE(service(stack, "base").main);
  EXPECT_FALSE(service(stack, "b").main);  // there can be one
  EXPECT_TRUE(service(stack, "b").essential);
}
TEST(ImportProcessCompose, a_oneshot_and_what_it_extends_may_be_of_different_types) {
  const Stack stack = stack_of(
      "base: {command: x}, a: {extends: base}, c: {extends: a}, b: {command: y, depends_on: {a: {condition: "
      "process_completed_successfully}}}");
  EXPECT_EQ(service(stack, "base").type, ServiceType::daemon);
  EXPECT_EQ(service(stack, "a").type, ServiceType::oneshot);
  EXPECT_EQ(service(stack, "c").type, ServiceType::daemon);
  EXPECT_EQ(service(stack, "c").command, Command{"x"});
}
TEST(ImportProcessCompose, lists_an_extends_that_leads_nowhere) {
  const Imported result =
      import("a: {command: x, extends: b}, b: {command: y, extends: a}, c: {command: z, extends: q}");
  EXPECT_EQ(imported(result).services.size(), 3U);
  EXPECT_TRUE(says(result, "`extends` of `a`, `b` is not carried over"));
  EXPECT_TRUE(says(result, "`extends` of `c` is not carried over"));
}

// ---- a readiness probe that fails

TEST(ImportProcessCompose, gives_up_a_start_when_the_readiness_probe_has_failed_often_enough) {
  const Imported result = import(
      "a: {command: x, readiness_probe: {exec: {command: c}, failure_threshold: 2, initial_delay_seconds: 1, "
      "period_seconds: 4}}, b: {command: x, readiness_probe: {exec: {command: c}}}");
  const Stack stack = imported(result);
  EXPECT_EQ(service(stack, "a").ready.probes.at(0).timeout, 9s);
  EXPECT_EQ(service(stack, "b").ready.probes.at(0).timeout, 30s);  // three times every ten seconds
  EXPECT_EQ(service(stack, "a").live->probes.at(0).failure_threshold, 2U);
  EXPECT_EQ(service(stack, "a").live->probes.at(0).period, 4s);
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
}
TEST(ImportProcessCompose, says_what_is_left_of_a_readiness_probe_beside_a_liveness_probe) {
  const Imported result = import(
      "a: {command: x, readiness_probe: {exec: {command: c}}, liveness_probe: {exec: {command: d}}}, b: "
      "{command: y, "
      "readiness_probe: {exec: {command: c}, failure_threshold: '${N:-3}'}}");
  EXPECT_TRUE(says(result, "`readiness_probe, once it is ready` of `a` is not carried over"));
  EXPECT_TRUE(says(result, "`readiness_probe.failure_threshold` of `b` is not carried over"));
  EXPECT_EQ(service(imported(result), "a").live->probes.at(0).command, Command{"d"});
}

// ---- `.env`

TEST(ImportProcessCompose, hands_the_env_file_beside_it_to_every_process) {
  const Imported result = import(
      "a: {command: x}, b: {command: x, working_dir: sub}, c: {command: x, is_dotenv_disabled: true}, d: "
      "{command: x, "
      "env_file: own.env}, e: {command: x, working_dir: ../up}");
  EXPECT_TRUE(result.yaml.contains("defaults:\n  env_file: [{path: .env, required: false}]\n"))
      << result.yaml;
  EXPECT_TRUE(result.yaml.contains("env_file: [{path: \"../.env\", required: false}]")) << result.yaml;
  EXPECT_TRUE(result.yaml.contains("env_file: []")) << result.yaml;
  EXPECT_TRUE(result.yaml.contains("env_file: [{path: \".env\", required: false}, own.env]")) << result.yaml;
  EXPECT_TRUE(result.yaml.contains("env_file: [{path: /srv/.env, required: false}]")) << result.yaml;
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
}
TEST(ImportProcessCompose, what_is_imported_reads_it) {
  const Directory dir;
  dir.write(".env", "GREETING=hello\n");
  const Imported result = import("a: {command: x}, b: {command: x, is_dotenv_disabled: true}");
  const Loaded loaded = load(dir.write("belfry.yaml", result.yaml));
  EXPECT_EQ(value_of(service(loaded.stack, "a").environment, "GREETING"), "hello");
  EXPECT_TRUE(service(loaded.stack, "b").environment.empty());
}

// ---- small keys

TEST(ImportProcessCompose, follows_a_process_that_forks_when_it_knows_that_it_is_ready) {
  EXPECT_FALSE(says(import("a: {command: x, is_daemon: true, ready_log_line: up}"), "is_daemon"));
  EXPECT_TRUE(says(import("a: {command: x, is_daemon: true}"),
                   "belfry follows a daemon that forks when it has a `ready:`"));
}
TEST(ImportProcessCompose, runs_the_command_where_an_entrypoint_is_written_too) {
  const Imported result = import("a: {command: x, entrypoint: [y]}");
  EXPECT_EQ(imported(result).services.at(0).command, Command{"x"});
  EXPECT_TRUE(says(result, "`entrypoint` of `a` is not carried over"));
}
TEST(ImportProcessCompose, leaves_templates_alone_where_it_is_told_to) {
  EXPECT_EQ(
      stack_of("a: {command: 'x {{.V}}', vars: {V: 1}, is_template_disabled: true}").services.at(0).command,
      (Command{"x", "{{.V}}"}));
}
TEST(ImportProcessCompose, lists_every_key_it_does_not_know) {
  const Imported result = import("a: {command: x, novel: {y: z}}", "news: 1");
  EXPECT_TRUE(says(result, "`novel` of `a` is not carried over"));
  EXPECT_TRUE(says(result, "`news` is not carried over"));
}
TEST(ImportProcessCompose, takes_any_shape_of_any_key) {
  for (const char* key : {"command", "entrypoint", "environment", "env_file", "depends_on", "availability",
                          "shutdown", "readiness_probe", "liveness_probe", "ready_log_line", "vars",
                          "working_dir", "replicas", "namespace", "disabled", "log_location", "is_daemon"})
    for (const char* value : {"", "[]", "{}", "[[a]]", "{a: {b: c}}", "text", "5", "[null]", "{a: }"}) {
      const Imported result =
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
