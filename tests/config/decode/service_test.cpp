// The keys of a service: what stands in the file, what it means where it is left out, replicas.
#include "config/decode/decode.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

TEST(DecodeService, a_daemon_restarts_on_failure_and_a_oneshot_does_not) {
  const Stack stack = good("services: {d: {command: x}, o: {type: oneshot, command: x}}");
  EXPECT_EQ(service(stack, "d").restart->policy, RestartPolicy::on_failure);
  EXPECT_EQ(service(stack, "o").restart->policy, RestartPolicy::no);
}
TEST(DecodeService, the_main_service_is_not_restarted) {
  EXPECT_EQ(service(with_keys("main: true"), "x").restart->policy, RestartPolicy::no);
  EXPECT_EQ(service(good("defaults: {restart: always}\nservices: {x: {command: a, main: true}}"), "x")
                .restart->policy,
            RestartPolicy::no);
}
TEST(DecodeService, the_documented_defaults_hold) {
  const Stack stack = with_keys("live: {port: 1}");
  const Service& x = service(stack, "x");
  EXPECT_EQ(x.stop.signal, SIGTERM);
  EXPECT_EQ(x.stop.timeout, 10s);
  EXPECT_EQ(x.restart->delay, 100ms);
  EXPECT_EQ(x.restart->max_delay, 30s);
  EXPECT_EQ(x.restart->limit, 0U);
  EXPECT_EQ(x.live->probes.at(0).failure_threshold, 3U);
  EXPECT_EQ(x.working_dir.str(), "/nowhere");
  EXPECT_EQ(stack.shutdown.timeout, 25s);
  EXPECT_EQ(stack.probe_limit, 256U);
  EXPECT_EQ(stack.name, "nowhere");
  EXPECT_TRUE(stack.http.listen.empty());
  EXPECT_EQ(with_keys("restart: no").services[0].extras, nullptr);
}
TEST(DecodeService, where_lines_go) {
  const Stack stack = with_keys(
      "log: {file: a.log, max_size: 1MiB, max_files: 3, max_age: 168h, compress: true, timestamps: true, "
      "journald: true, syslog: run/log, stdout: true}");
  const Log& log = stack.services[0].extras->log;
  EXPECT_EQ(log.max_files, 3U);
  EXPECT_EQ(log.max_age, 168h);
  EXPECT_TRUE(log.compress && log.timestamps && log.to_stdout);
  EXPECT_EQ(log.journald, "/run/systemd/journal/socket");
  EXPECT_EQ(log.syslog, "/nowhere/run/log");
  EXPECT_FALSE(with_keys("log: {journald: true}").services[0].extras->log.to_stdout);
  const Stack none = with_keys("log: {journald: false, syslog: true}");
  EXPECT_EQ(none.services[0].extras->log.journald, "");
  EXPECT_EQ(none.services[0].extras->log.syslog, "/dev/log");
}
TEST(DecodeService, every_other_key_reaches_the_model) {
  const Stack stack = with_keys(
      "user: 'web:www', umask: '027', nice: 5, oom_score_adj: -500, rlimits: {nofile: {soft: 10, hard: "
      "unlimited}, core: 1MiB}, cgroup: {memory_max: 1GiB, cpu_max: 1.5, pids_max: 9}, "
      "stdin: inherit, tty: true, log: {file: a.log, max_size: 1MiB, format: json, overflow: block}, "
      "pre_start: [a], post_start: b, pre_stop: c, post_stop: d, reload: SIGHUP, watchdog: 30s, "
      "success_exit_codes: [0, 143], labels: {team: pay}, fd_store: 4, notify_access: main, "
      "no_new_privileges: true, isolate: true, health: ignore, essential: true, clean_environment: true, "
      "description: d");
  const Service& x = stack.services[0];
  const ServiceExtras& e = *x.extras;
  EXPECT_EQ(*x.user + ":" + e.group, "web:www");
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
TEST(Replicas, become_services_and_a_gate_of_the_bare_name) {
  const Stack stack = good(
      "services: {api: {command: 'run --id ${REPLICA}', replicas: 3}, web: {command: x, depends_on: {api: "
      "{require: 2}}}}");
  ASSERT_EQ(stack.services.size(), 5U);
  const Service& gate = service(stack, "api");
  EXPECT_EQ(gate.type, ServiceType::gate);
  EXPECT_EQ(gate.depends_on.size(), 3U);
  EXPECT_EQ(stack.services[gate.depends_on[2].target].name, "api-3");
  EXPECT_EQ(service(stack, "api-2").command, (Command{"run", "--id", "2"}));
  EXPECT_EQ(service(stack, "web").depends_on[0].require->count, 2U);
}
TEST(Replicas, may_be_depended_on_one_by_one) {
  EXPECT_EQ(good("services: {api: {command: x, replicas: 2}, web: {command: x, depends_on: [api-2]}}")
                .services.size(),
            4U);
}
TEST(Replicas, say_a_mistake_once) {
  EXPECT_EQ(
      loaded("services: {a: {command: x, replicas: 5, depends_on: [nobody], usr: x}}").diagnostics.errors(),
      2U);
  EXPECT_EQ(loaded("services: {a: {command: x, replicas: 5, depends_on: {b: completed}}, b: {command: x}}")
                .diagnostics.errors(),
            1U);
}
TEST(Replicas, cannot_multiply_beyond_the_limit) {
  EXPECT_EQ(rule_of("services: {a: {command: x, replicas: 10000}, b: {extends: a}, c: {extends: a}, d: "
                    "{extends: a}, e: {extends: a}, f: {extends: a}, g: {extends: a}, h: {extends: a}, i: "
                    "{extends: a}, j: {extends: a}, k: {extends: a}}"),
            "too-large");
}
TEST(DecodeService, a_misspelt_command_is_one_mistake_and_not_two) {
  for (const char* keys : {"comand: x", "entrypoint: x", "type: external, raedy: {tcp: 'a:1'}"})
    EXPECT_EQ(loaded(std::string("services: {a: {") + keys + "}}").diagnostics.errors(), 1U) << keys;
  EXPECT_EQ(loaded("services: {a: {usr: x}}").diagnostics.errors(), 2U);
}

}  // namespace
}  // namespace belfry::config
