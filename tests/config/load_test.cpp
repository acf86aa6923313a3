// From a text to the model: what each rule of the format means.
#include "config/load.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;
namespace fs = std::filesystem;

std::string rule_of(std::string const& text, LoadOptions options = {}) {
  Loaded const result = loaded(text, {}, std::move(options));
  for (Diagnostic const& one : result.diagnostics)
    if (one.severity == Severity::error) return std::string(one.rule);
  return "none";
}

// A directory that is gone when the test ends.
class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "belfry-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() { fs::remove_all(path_); }
  std::string write(std::string const& name, std::string const& text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  fs::path const& path() const { return path_; }

 private:
  fs::path path_;
};

// ---- defaults that depend on the type

TEST(Load, a_daemon_restarts_on_failure_and_a_oneshot_does_not) {
  Stack const stack = good("services: {d: {command: x}, o: {type: oneshot, command: x}}");
  EXPECT_EQ(service(stack, "d").restart.policy, RestartPolicy::on_failure);
  EXPECT_EQ(service(stack, "o").restart.policy, RestartPolicy::no);
}
TEST(Load, the_main_service_is_not_restarted) {
  EXPECT_EQ(service(with_keys("main: true"), "x").restart.policy, RestartPolicy::no);
  EXPECT_EQ(service(good("defaults: {restart: always}\nservices: {x: {command: a, main: true}}"), "x")
                .restart.policy,
            RestartPolicy::no);
}
TEST(Load, an_edge_waits_for_ready_and_for_a_oneshot_to_complete) {
  Stack const stack = good(
      "services: {d: {command: x}, o: {type: oneshot, command: x}, a: {command: x, depends_on: [d, o]}, b: "
      "{command: x, depends_on: {d: , o: {required: false}}}}");
  for (char const* name : {"a", "b"}) {
    EXPECT_EQ(service(stack, name).depends_on.at(0).condition, Condition::ready);
    EXPECT_EQ(service(stack, name).depends_on.at(1).condition, Condition::completed);
  }
}
TEST(Load, fills_in_the_target_of_every_edge) {
  Stack const stack =
      good("services: {a: {command: x, depends_on: [c, b]}, b: {command: x}, c: {command: x}}");
  for (Dependency const& edge : stack.services[0].depends_on)
    EXPECT_EQ(stack.services[edge.target].name, edge.service);
}
TEST(Load, the_documented_defaults_hold) {
  Stack const stack = with_keys("live: {port: 1}");
  Service const& x = service(stack, "x");
  EXPECT_EQ(x.stop.signal, SIGTERM);
  EXPECT_EQ(x.stop.timeout, 10s);
  EXPECT_EQ(x.restart.delay, 100ms);
  EXPECT_EQ(x.restart.max_delay, 30s);
  EXPECT_EQ(x.restart.limit, 0U);
  EXPECT_EQ(x.live->probes.at(0).failure_threshold, 3U);
  EXPECT_EQ(x.working_dir, "/nowhere");
  EXPECT_EQ(stack.shutdown.timeout, 25s);
  EXPECT_EQ(stack.probe_limit, 256U);
  EXPECT_EQ(stack.name, "nowhere");
  EXPECT_TRUE(stack.http.listen.empty());
  EXPECT_EQ(with_keys("restart: no").services[0].extras, nullptr);
}

// ---- spellings

TEST(Load, a_command_is_a_list_or_a_line_that_is_split) {
  EXPECT_EQ(good("services: {x: {command: [a, 'b c', 8080]}}").services[0].command,
            (Command{"a", "b c", "8080"}));
  EXPECT_EQ(good("services: {x: {command: a 'b c' --d=e}}").services[0].command,
            (Command{"a", "b c", "--d=e"}));
}
TEST(Load, environment_is_a_mapping_or_a_list) {
  for (char const* spelling : {"environment: {A: '1', B: x}", "environment: ['A=1', B=x]"}) {
    Stack const stack = with_keys(spelling);
    auto const& environment = stack.services[0].environment;
    EXPECT_EQ(value_of(environment, "A"), "1");
    EXPECT_EQ(value_of(environment, "B"), "x");
  }
}
TEST(Load, a_variable_without_value_is_taken_from_belfry) {
  Stack const stack = good(
      "services: {x: {command: a, environment: [A, B]}, y: {command: a, environment: {A: }}}", {{"A", "1"}});
  EXPECT_EQ(stack.services[0].environment.size(), 1U);
  EXPECT_EQ(value_of(stack.services[1].environment, "A"), "1");
}
TEST(Load, conditions_of_other_tools_are_understood) {
  std::string const text =
      "services: {d: {command: x}, o: {type: oneshot, command: x}, a: {command: x, depends_on: {d: "
      "CONDITION}}, b: {command: x, depends_on: {o: CONDITION2}}}";
  auto const with = [&](std::string a, std::string b) {
    std::string t = text;
    t.replace(t.find("CONDITION}"), 9, a);
    t.replace(t.find("CONDITION2"), 10, b);
    Stack const stack = good(t);
    return std::pair(service(stack, "a").depends_on[0].condition,
                     service(stack, "b").depends_on[0].condition);
  };
  EXPECT_EQ(with("service_healthy", "service_completed_successfully"),
            std::pair(Condition::ready, Condition::completed));
  EXPECT_EQ(with("service_started", "process_completed_successfully"),
            std::pair(Condition::started, Condition::completed));
  EXPECT_EQ(with("process_healthy", "process_completed"), std::pair(Condition::ready, Condition::stopped));
}
TEST(Load, an_edge_may_wait_for_a_bell_of_its_dependency) {
  Stack const stack = good(
      "services: {a: {command: x, bells: {warm: {file: cache}}}, b: {command: x, depends_on: {a: warm}}}");
  EXPECT_EQ(stack.services[1].depends_on[0].condition, Condition::own_bell);
  EXPECT_EQ(stack.services[1].depends_on[0].bell, "warm");
  EXPECT_EQ(stack.services[0].extras->bells[0].probes.probes[0].target, "/nowhere/cache");
}
TEST(Load, restart_limits_may_name_a_time) {
  Restart const restart = with_keys("restart: {policy: always, limit: 10 per 5m}").services[0].restart;
  EXPECT_EQ(restart.limit, 10U);
  EXPECT_EQ(restart.limit_window, 5min);
  EXPECT_EQ(with_keys("restart: {limit: 3}").services[0].restart.limit_window, 0s);
}
TEST(Load, listen_is_an_address_a_list_or_a_mapping) {
  Stack const single = with_keys("listen: '127.0.0.1:80'");
  auto const& one = single.services[0].extras->listen;
  EXPECT_EQ(one.at(0).name, "x");
  EXPECT_EQ(one.at(0).port, 80);
  Stack const stack = with_keys(
      "listen: {web: 'udp:[::1]:53', api: {address: 'unix:run/api.sock', mode: '0660', backlog: 9}}");
  auto const& many = stack.services[0].extras->listen;
  EXPECT_EQ(many.at(0).kind, ListenSocket::Kind::udp);
  EXPECT_EQ(many.at(0).address, "::1");
  EXPECT_EQ(many.at(1).address, "/nowhere/run/api.sock");
  EXPECT_EQ(many.at(1).mode, 0660U);
  EXPECT_EQ(many.at(1).backlog, 9U);
}
TEST(Load, every_other_key_reaches_the_model) {
  Stack const stack = with_keys(
      "user: 'web:www', umask: '027', nice: 5, oom_score_adj: -500, rlimits: {nofile: {soft: 10, hard: "
      "unlimited}, core: 1MiB}, cgroup: {memory_max: 1GiB, cpu_max: 1.5, pids_max: 9}, "
      "stdin: inherit, tty: true, log: {file: a.log, max_size: 1MiB, format: json, overflow: block}, "
      "pre_start: [a], post_start: b, pre_stop: c, post_stop: d, reload: SIGHUP, watchdog: 30s, "
      "success_exit_codes: [0, 143], labels: {team: pay}, fd_store: 4, notify_access: main, "
      "no_new_privileges: true, isolate: true, health: ignore, essential: true, clean_environment: true, "
      "description: d");
  Service const& x = stack.services[0];
  ServiceExtras const& e = *x.extras;
  EXPECT_EQ(x.user + ":" + e.group, "web:www");
  EXPECT_EQ(e.umask, 027U);
  EXPECT_EQ(e.nice, 5);
  EXPECT_EQ(e.oom_score_adj, -500);
  EXPECT_EQ(e.rlimits.at(0).soft, 10U);
  EXPECT_EQ(e.rlimits.at(0).hard, RLIM_INFINITY);
  EXPECT_EQ(e.rlimits.at(1).soft, 1U << 20U);
  EXPECT_EQ(e.cgroup->memory_max, 1ULL << 30U);
  EXPECT_EQ(e.standard_input, "inherit");
  EXPECT_EQ(e.log.file, "/nowhere/a.log");
  EXPECT_FALSE(e.log.to_stdout);
  EXPECT_EQ(e.log.max_files, 5U);
  EXPECT_EQ(e.post_stop, Command{"d"});
  EXPECT_EQ(e.reload_signal, SIGHUP);
  EXPECT_EQ(e.watchdog, 30s);
  EXPECT_EQ(e.success_exit_codes, (std::vector<int>{0, 143}));
  EXPECT_EQ(e.fd_store, 4U);
  EXPECT_EQ(e.notify_access, NotifyAccess::main);
  EXPECT_TRUE(e.no_new_privileges && e.isolate && e.health_ignore && e.tty && x.essential &&
              x.clean_environment);
}
TEST(Load, the_top_level_reaches_the_model) {
  Stack const stack = good(
      "name: shop\nhttp: {listen: ['127.0.0.1:9600', 'unix:run/http']}\ncontrol: {socket: /s, allow: [ops], "
      "token_file: t}\nshutdown: {timeout: 5s, delay: 1s}\n"
      "limits: {probes: 3, parallel_starts: 2}\non_daemon_death: keep\nservices: {x: {command: a}}");
  EXPECT_EQ(stack.name, "shop");
  EXPECT_EQ(stack.http.listen, (std::vector<std::string>{"127.0.0.1:9600", "unix:/nowhere/run/http"}));
  EXPECT_EQ(stack.control.socket, "/s");
  EXPECT_EQ(stack.control.token_file, "/nowhere/t");
  EXPECT_EQ(stack.shutdown.delay, 1s);
  EXPECT_EQ(stack.probe_limit, 3U);
  EXPECT_EQ(stack.parallel_starts, 2U);
  EXPECT_EQ(stack.on_daemon_death, OnDaemonDeath::keep);
}

// ---- probes

TEST(LoadProbes, every_kind_is_read) {
  Stack const stack = good(
      "services: {x: {command: a, ready: [notify, {port: 1}, {port: {udp: 2}}, {unix: s}, {fd: 5, dialect: "
      "dinit}, {tcp: 'a:1'}, {grpc: 'a:1/b'}, {postgres: 'host=a'}, {mysql: m}, {redis: 'a:1'}, {exec: [c, "
      "d]}, "
      "{log: 'x.*y'}, {file: f}, {cluster: db, hosts: 2}]}}");
  auto const& probes = stack.services[0].ready.probes;
  ASSERT_EQ(probes.size(), 14U);
  EXPECT_EQ(probes[1].port, 1);
  EXPECT_TRUE(probes[2].udp);
  EXPECT_EQ(probes[3].target, "/nowhere/s");
  EXPECT_EQ(probes[4].dialect, FdDialect::dinit);
  EXPECT_EQ(probes[6].target, "a:1/b");
  EXPECT_EQ(probes[10].command, (Command{"c", "d"}));
  EXPECT_EQ(probes[12].target, "/nowhere/f");
  EXPECT_EQ(probes[13].hosts, 2U);
}
TEST(LoadProbes, tuning_stands_beside_the_kind) {
  Stack const stack = with_keys(
      "ready: {port: 1, timeout: 5s, initial_delay: 1s, period: 2s, attempt_timeout: "
      "3s, success_threshold: 2, failure_threshold: 4, recheck: true}");
  Probe const& probe = stack.services[0].ready.probes[0];
  EXPECT_EQ(probe.timeout, 5s);
  EXPECT_EQ(probe.period, 2s);
  EXPECT_EQ(probe.recheck, 2s);
  EXPECT_EQ(probe.failure_threshold, 4U);
}
TEST(LoadProbes, an_http_probe_says_what_it_expects) {
  Stack const stack = with_keys(
      "ready: {http: 'https://a/b', method: HEAD, headers: {A: b}, status: [200, 300-302], body: ok, tls: "
      "{verify: false}}");
  HttpExpectation const& http = *stack.services[0].ready.probes[0].http;
  EXPECT_EQ(http.method, "HEAD");
  EXPECT_EQ(http.statuses, (std::vector<std::pair<std::uint16_t, std::uint16_t>>{{200, 200}, {300, 302}}));
  EXPECT_FALSE(http.tls_verify);
  EXPECT_EQ(with_keys("ready: {http: 'http://a/'}").services[0].ready.probes[0].http, nullptr);
}
TEST(LoadProbes, any_shares_the_tuning_beside_it) {
  Stack const stack = with_keys("ready: {any: [{port: 1}, {file: f, timeout: 9s}], timeout: 5s}");
  ProbeSet const& set = stack.services[0].ready;
  EXPECT_TRUE(set.any);
  EXPECT_EQ(set.probes.at(0).timeout, 5s);
  EXPECT_EQ(set.probes.at(1).timeout, 9s);
}

// ---- merging

TEST(LoadMerging, defaults_lie_under_every_service_and_skip_what_does_not_fit) {
  Stack const stack = good(
      "defaults: {user: web, stop: {timeout: 3s}, environment: {A: '1', B: '2'}}\n"
      "services: {a: {command: x, stop: {signal: SIGINT}, environment: [B=3]}, g: {type: gate}, e: {type: "
      "external, ready: {tcp: 'a:1'}}}");
  Service const& a = service(stack, "a");
  EXPECT_EQ(a.user, "web");
  EXPECT_EQ(a.stop.timeout, 3s);
  EXPECT_EQ(a.stop.signal, SIGINT);
  EXPECT_EQ(value_of(a.environment, "A"), "1");
  EXPECT_EQ(value_of(a.environment, "B"), "3");
}
TEST(LoadMerging, a_probe_kind_takes_the_place_of_the_kind_below) {
  Stack const stack = good(
      "defaults: {ready: {http: 'http://a/', status: 200, timeout: 7s}}\nservices: {a: {command: x, ready: "
      "{port: 1}}, b: {command: x}}");
  EXPECT_EQ(service(stack, "a").ready.probes.at(0).kind, Probe::Kind::port);
  EXPECT_EQ(service(stack, "a").ready.probes.at(0).timeout, 7s);
  EXPECT_EQ(service(stack, "b").ready.probes.at(0).kind, Probe::Kind::http);
}
TEST(LoadMerging, tuning_in_defaults_makes_no_probe) {
  EXPECT_TRUE(
      good("defaults: {ready: {timeout: 7s}}\nservices: {a: {command: x}}").services[0].ready.empty());
}
TEST(LoadMerging, a_policy_in_one_place_and_its_tuning_in_the_other_come_together) {
  Stack const stack = good("defaults: {restart: {delay: 1s}}\nservices: {a: {command: x, restart: always}}");
  EXPECT_EQ(stack.services[0].restart.policy, RestartPolicy::always);
  EXPECT_EQ(stack.services[0].restart.delay, 1s);
}
TEST(LoadMerging, extends_takes_keys_over_and_lists_replace) {
  Stack const stack = good(
      "services: {base: {command: [a, b], environment: {A: '1'}, success_exit_codes: [1, 2]}, x: {extends: "
      "base, environment: {B: '2'}, success_exit_codes: [3]}, y: {extends: x, command: c}}");
  EXPECT_EQ(service(stack, "x").command, (Command{"a", "b"}));
  EXPECT_EQ(service(stack, "y").environment.size(), 2U);
  EXPECT_EQ(service(stack, "y").command, Command{"c"});
  EXPECT_EQ(service(stack, "x").extras->success_exit_codes, std::vector<int>{3});
}
TEST(LoadMerging, extends_skips_what_does_not_fit_the_type) {
  Stack const stack = good(
      "services: {base: {command: a, live: {port: 1}, user: u}, x: {extends: base, type: oneshot}, g: "
      "{extends: base, type: gate}}");
  EXPECT_EQ(service(stack, "x").live, nullptr);
  EXPECT_EQ(service(stack, "x").user, "u");
  EXPECT_TRUE(service(stack, "g").command.empty());
}
TEST(LoadMerging, anchors_and_merge_keys_work) {
  Stack const stack = good("x-base: &base {command: a, user: u}\nservices: {x: {<<: *base, user: v}}");
  EXPECT_EQ(stack.services[0].command, Command{"a"});
  EXPECT_EQ(stack.services[0].user, "v");
}
TEST(LoadMerging, later_files_win_key_by_key) {
  Directory const dir;
  std::string const base =
      dir.write("base.yaml",
                "name: base\nservices: {a: {command: x, user: u, environment: {A: '1'}}, b: {command: y}}");
  fs::create_directory(dir.path() / "over");
  std::string const over = dir.write(
      "over/over.yaml", "services: {a: {user: v, environment: {B: '2'}, working_dir: w}, c: {command: z}}");
  Loaded const result = load(std::vector<std::string>{base, over});
  ASSERT_FALSE(result.diagnostics.has_errors()) << text_of(result.diagnostics);
  EXPECT_EQ(result.stack.name, "base");
  EXPECT_EQ(result.stack.services.size(), 3U);
  Service const& a = service(result.stack, "a");
  EXPECT_EQ(a.user, "v");
  EXPECT_EQ(a.environment.size(), 2U);
  EXPECT_EQ(a.working_dir, (dir.path() / "w").string());
  EXPECT_EQ(service(result.stack, "c").place.file, 1U);
}
TEST(LoadMerging, mistakes_of_several_files_come_together) {
  Directory const dir;
  Loaded const result =
      load(std::vector<std::string>{dir.write("a.yaml", "services: {a: {command: x, usr: u}}"),
                                    dir.write("b.yaml", "services: {b: {comand: x}}")});
  std::string const text = text_of(result.diagnostics);
  EXPECT_NE(text.find("a.yaml:1:28"), std::string::npos) << text;
  EXPECT_NE(text.find("b.yaml:1:16"), std::string::npos) << text;
}
TEST(LoadMerging, a_file_that_is_not_there_is_an_error_of_its_own) {
  Loaded const result = load("/no/such/file.yaml");
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].rule, "cannot-read");
}

// ---- replicas, profiles, ports

TEST(LoadReplicas, become_services_and_a_gate_of_the_bare_name) {
  Stack const stack = good(
      "services: {api: {command: 'run --id ${REPLICA}', replicas: 3}, web: {command: x, depends_on: {api: "
      "{require: 2}}}}");
  ASSERT_EQ(stack.services.size(), 5U);
  Service const& gate = service(stack, "api");
  EXPECT_EQ(gate.type, ServiceType::gate);
  EXPECT_EQ(gate.depends_on.size(), 3U);
  EXPECT_EQ(stack.services[gate.depends_on[2].target].name, "api-3");
  EXPECT_EQ(service(stack, "api-2").command, (Command{"run", "--id", "2"}));
  EXPECT_EQ(service(stack, "web").depends_on[0].require->count, 2U);
}
TEST(LoadReplicas, may_be_depended_on_one_by_one) {
  EXPECT_EQ(good("services: {api: {command: x, replicas: 2}, web: {command: x, depends_on: [api-2]}}")
                .services.size(),
            4U);
}
TEST(LoadReplicas, say_a_mistake_once) {
  EXPECT_EQ(
      loaded("services: {a: {command: x, replicas: 5, depends_on: [nobody], usr: x}}").diagnostics.errors(),
      2U);
  EXPECT_EQ(loaded("services: {a: {command: x, replicas: 5, depends_on: {b: completed}}, b: {command: x}}")
                .diagnostics.errors(),
            1U);
}
TEST(LoadReplicas, cannot_multiply_beyond_the_limit) {
  EXPECT_EQ(rule_of("services: {a: {command: x, replicas: 10000}, b: {extends: a}, c: {extends: a}, d: "
                    "{extends: a}, e: {extends: a}, f: {extends: a}, g: {extends: a}, h: {extends: a}, i: "
                    "{extends: a}, j: {extends: a}, k: {extends: a}}"),
            "too-large");
}
TEST(LoadProfiles, enable_services_by_option_variable_and_name) {
  std::string const text =
      "services: {a: {command: x}, b: {command: x, profiles: [dev, test]}, c: {command: x, profiles: [full], "
      "depends_on: [b]}}";
  auto const enabled = [&](LoadOptions options, std::map<std::string, std::string> const& variables = {}) {
    Loaded const result = loaded(text, variables, std::move(options));
    std::string names;
    for (Service const& one : result.stack.services) names += one.enabled ? one.name : "";
    return names;
  };
  EXPECT_EQ(enabled({}), "a");
  EXPECT_EQ(enabled({.profiles = {"test"}}), "ab");
  EXPECT_EQ(enabled({}, {{"BELFRY_PROFILES", "x,dev"}}), "ab");
  EXPECT_EQ(enabled({.services = {"c"}}), "abc");
}
TEST(LoadProfiles, a_required_dependency_that_is_disabled_is_an_error_and_an_optional_one_is_dropped) {
  std::string const text =
      "services: {a: {command: x, depends_on: {b: {required: REQUIRED}}}, b: {command: x, profiles: [p]}}";
  auto const with = [&](std::string value) {
    std::string t = text;
    return t.replace(t.find("REQUIRED"), 8, value);
  };
  EXPECT_EQ(rule_of(with("true")), "disabled-dependency");
  EXPECT_TRUE(good(with("false")).services[0].depends_on.empty());
}
TEST(LoadProfiles, an_unknown_service_on_the_command_line_is_an_error) {
  EXPECT_EQ(rule_of("services: {a: {command: x}}", {.services = {"b"}}), "unknown-service");
}
TEST(LoadPorts, free_ones_are_distinct_and_become_variables) {
  Stack const stack = good(
      "ports: {web: free, api: free, fixed: 8080}\nservices: {x: {command: 'run ${PORT_web} ${PORT_fixed}', "
      "ready: {port: '${PORT_api}'}}}");
  ASSERT_EQ(stack.ports.size(), 3U);
  EXPECT_NE(stack.ports[0].second, stack.ports[1].second);
  EXPECT_EQ(stack.services[0].command[1], std::to_string(stack.ports[0].second));
  EXPECT_EQ(stack.services[0].command[2], "8080");
  EXPECT_EQ(stack.services[0].ready.probes[0].port, stack.ports[1].second);
}
TEST(LoadPorts, handed_out_before_stay_on_reload) {
  EXPECT_EQ(
      good("ports: {web: free}\nservices: {x: {command: a}}", {}, {.ports = {{"web", 4321}}}).ports[0].second,
      4321);
}

// ---- files beside the file

TEST(LoadEnvFile, lines_are_read_and_environment_wins) {
  Directory const dir;
  dir.write("a.env", "# c\n\nexport A=1\nB = two words # c\nC='$A'\nD=\"x\\n$A\"\nE=${NO:-d}\nF=a#b\n");
  std::string const file = dir.write("belfry.yaml",
                                     "services: {x: {command: a, env_file: [a.env, {path: none.env, "
                                     "required: false}], environment: {A: over}}}");
  Loaded const result = load(file);
  ASSERT_FALSE(result.diagnostics.has_errors()) << text_of(result.diagnostics);
  auto const& environment = result.stack.services[0].environment;
  EXPECT_EQ(value_of(environment, "A"), "over");
  EXPECT_EQ(value_of(environment, "B"), "two words");
  EXPECT_EQ(value_of(environment, "C"), "$A");
  EXPECT_EQ(value_of(environment, "D"), "x\n1");
  EXPECT_EQ(value_of(environment, "E"), "d");
  EXPECT_EQ(value_of(environment, "F"), "a#b");
}
TEST(LoadSecrets, are_read_from_files_and_kept_apart) {
  Directory const dir;
  ::chmod(dir.write("pg", "s3cret\n").c_str(), 0600);
  Loaded const result =
      load(dir.write("belfry.yaml", "services: {x: {command: a, secrets: {PGPASSWORD: pg}}}"));
  ASSERT_FALSE(result.diagnostics.has_errors());
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
  EXPECT_TRUE(result.stack.services[0].environment.empty());
  EXPECT_EQ(result.stack.services[0].extras->secrets.at(0).variable, "PGPASSWORD");
  EXPECT_EQ(result.stack.services[0].extras->secrets.at(0).value, "s3cret");
}
TEST(LoadSecrets, that_everybody_can_read_are_warned_of) {
  Directory const dir;
  ::chmod(dir.write("pg", "s3cret\n").c_str(), 0644);
  Loaded const result =
      load(dir.write("belfry.yaml", "services: {x: {command: a, secrets: {PGPASSWORD: pg}}}"));
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].rule, "open-secret");
  EXPECT_EQ(text_of(result.diagnostics).find("s3cret"), std::string::npos);
}

// ---- all at once, and nothing that is not wrong

TEST(Load, six_mistakes_give_six_messages) {
  Loaded const result = loaded(
      "nmae: x\nservices:\n  a: {comand: x, command: x, depends_on: [bb]}\n  b: {command: x, stop: {timeout: "
      "5}, depends_on: [c]}\n  c: {command: x, depends_on: [b], type: demon}\n");
  EXPECT_EQ(result.diagnostics.errors(), 6U) << text_of(result.diagnostics);
}
TEST(Load, the_example_of_the_contract_is_free_of_errors) {
  EXPECT_NO_THROW(good(
      "name: shop\nhttp: {listen: 127.0.0.1:9600}\ncontrol: {socket: /run/belfry/shop.sock}\nshutdown: "
      "{timeout: 25s, delay: 0s}\ndefaults:\n  restart: on-failure\nservices:\n  db:\n"
      "    command: [postgres, -D, /var/lib/pg]\n    user: postgres\n    ready: {postgres: host=127.0.0.1 "
      "dbname=postgres}\n    stop: {signal: SIGINT, timeout: 20s}\n  migrate:\n    type: oneshot\n"
      "    command: ./migrate.sh\n    depends_on: [db]\n  api:\n    command: ./api --port 8080\n    "
      "environment: {DATABASE_URL: \"${DATABASE_URL:-postgres:///postgres}\"}\n"
      "    depends_on: {migrate: completed, cache: {condition: ready, on_loss: restart}}\n    ready: {port: "
      "8080}\n    live: {http: \"http://127.0.0.1:8080/health\", period: 10s, timeout: 2s, "
      "failure_threshold: 3}\n"
      "    restart: {policy: on-failure, delay: 100ms, max_delay: 30s, factor: 2, jitter: 0.2, limit: 10 per "
      "5m}\n  cache:\n    command: redis-server --port 6379\n    ready: {redis: 127.0.0.1:6379}\n"));
}
TEST(Load, belfry_s_own_default_timeouts_are_not_warned_of) {
  Loaded const result = loaded(
      "services: {a: {command: x}, b: {command: x, depends_on: [a]}, c: {command: x, depends_on: [b]}, d: "
      "{command: x, depends_on: [c]}}");
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
}
TEST(Load, a_byte_order_mark_is_not_part_of_the_text) {
  EXPECT_EQ(good("\xEF\xBB\xBFservices: {x: {command: a}}").services.size(), 1U);
}
TEST(Load, ten_thousand_wrong_services_are_told_in_bounded_space) {
  std::string text = "services:\n";
  for (int i = 0; i < 10'000; ++i)
    text += "  s" + std::to_string(i) + ": {command: x, depends_on: [nobody" + std::to_string(i) + "]}\n";
  Loaded const result = loaded(text);
  EXPECT_EQ(result.diagnostics.size(), Diagnostics::most);
  EXPECT_EQ(result.diagnostics.errors(), 10'000U);
}

TEST(FindFile, prefers_what_was_asked_for) { EXPECT_EQ(find_file("/no/such"), "/no/such"); }
TEST(FindFile, looks_in_the_current_directory) {
  Directory const dir;
  fs::path const before = fs::current_path();
  fs::current_path(dir.path());
  dir.write("belfry.yml", "");
  EXPECT_EQ(find_file(), "belfry.yml");
  dir.write("belfry.yaml", "");
  EXPECT_EQ(find_file(), "belfry.yaml");
  fs::current_path(before);
}

}  // namespace
}  // namespace belfry::config
