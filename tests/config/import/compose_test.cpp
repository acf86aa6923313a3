#include <gtest/gtest.h>

#include "config/import/compose_image.hpp"
#include "config/import/hosts.hpp"
#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

Imported compose(const std::string& services) { return import_compose("services: {" + services + "}", "c"); }
Stack stack_of(const std::string& services) { return imported(compose(services)); }
// The service `a` with these keys.
Service only(const std::string& keys) {
  Stack stack = stack_of("a: {" + keys + "}");
  return std::move(stack.services.at(0));
}

TEST(ImportCompose, makes_what_must_complete_a_oneshot) {
  const Stack stack = stack_of(
      "a: {command: x}, b: {command: y, depends_on: {a: {condition: service_completed_successfully}}}");
  EXPECT_EQ(service(stack, "a").type, ServiceType::oneshot);
  EXPECT_EQ(service(stack, "b").depends_on.at(0).condition, Condition::completed);
}
TEST(ImportCompose, keeps_its_default_of_not_restarting) {
  EXPECT_EQ(only("command: x").restart->policy, RestartPolicy::no);
  EXPECT_EQ(only("command: x, restart: unless-stopped").restart->policy, RestartPolicy::always);
  EXPECT_EQ(only("command: x, restart: 'on-failure:4'").restart->limit, 4U);
  const Rarely<Restart> policy =
      only("command: x, deploy: {restart_policy: {condition: any, delay: 2s, max_attempts: 3, window: 1m}}")
          .restart;
  EXPECT_EQ(policy->policy, RestartPolicy::always);
  EXPECT_EQ(policy->delay, 2s);
  EXPECT_EQ(policy->limit, 3U);
  EXPECT_EQ(policy->limit_window, 1min);
}

// ---- commands

TEST(ImportCompose, joins_entrypoint_and_command) {
  EXPECT_EQ(only("entrypoint: [a, b], command: c 'd e'").command, (Command{"a", "b", "c", "d e"}));
  EXPECT_EQ(only("entrypoint: '', command: c").command, Command{"c"});
  EXPECT_EQ(only("entrypoint: sh -c, command: ['echo $$HOME']").command, (Command{"sh", "-c", "echo $HOME"}));
}
TEST(ImportCompose, splits_a_line_after_its_variables_are_replaced) {
  const Imported import = compose("a: {command: 'run $OPTIONS --x'}");
  LoadOptions options;
  options.environment = [](std::string_view) { return std::optional<std::string>("--a --b"); };
  EXPECT_EQ(load_text(import.yaml, "/nowhere/x.yaml", options).stack.services.at(0).command,
            (Command{"run", "--a", "--b", "--x"}));
}
TEST(ImportCompose, gives_a_line_with_operators_to_a_shell_and_says_so) {
  for (const char* line :
       {"'npm ci && npm start'", "'a | b'", "'a; b'", "'a > /dev/null'", "'a \"x\" & b'"}) {
    const Imported import = compose(std::string("a: {image: redis, command: ") + line + "}");
    EXPECT_EQ(imported(import).services.at(0).command.at(0), "sh") << line;
    EXPECT_TRUE(says(import, "`command` of `a` is not carried over")) << line;
  }
  EXPECT_EQ(only("command: 'echo \"a && b\" c\\;d'").command, (Command{"echo", "a && b", "c;d"}));
}
TEST(ImportCompose, says_that_operators_in_a_list_are_arguments) {
  for (const char* keys :
       {"command: [npm, ci, '&&', npm, start]", "command: x, healthcheck: {test: [CMD, a, '||', exit]}",
        "entrypoint: [a], command: 'b && c'"}) {
    const Imported import = compose(std::string("a: {") + keys + "}");
    EXPECT_NE(imported(import).services.at(0).command.at(0), "sh") << keys;
    EXPECT_TRUE(says(import, "is an argument")) << keys;
  }
}
TEST(ImportCompose, puts_the_program_of_a_known_image_before_mere_options) {
  EXPECT_EQ(only("image: 'docker.io/library/redis:7', command: --appendonly yes").command,
            (Command{"redis-server", "--appendonly", "yes"}));
  EXPECT_EQ(only("image: 'localhost:5000/postgres', command: [postgres, -c, a=b]").command,
            (Command{"postgres", "-c", "a=b"}));
  EXPECT_EQ(only("image: minio/minio, command: 'server /data'").command,
            (Command{"minio", "server", "/data"}));
  EXPECT_EQ(only("image: redis, command: [sh, -c, x]").command, (Command{"sh", "-c", "x"}));
}
TEST(ImportCompose, leaves_the_program_of_an_unknown_image_to_a_person) {
  const Imported import = compose("a: {image: who/knows, command: [--config, x]}, b: {image: who/else}");
  EXPECT_EQ(service(imported(import), "a").command, (Command{"/path/to/a", "--config", "x"}));
  EXPECT_TRUE(import.yaml.contains("# decide: the program that the image puts before these options"));
  EXPECT_TRUE(import.yaml.contains("# decide: what the image who/else runs"));
}

// ---- readiness

TEST(ImportCompose, takes_the_port_inside_the_container) {
  const Service a = only("command: x, ports: ['127.0.0.1:${P:-80}:8080/tcp', {target: 9, protocol: udp}, 7]");
  ASSERT_EQ(a.ready.probes.size(), 3U);
  EXPECT_EQ(a.ready.probes[0].port, 8080);
  EXPECT_EQ(a.ready.probes[1].port, 9);
  EXPECT_TRUE(a.ready.probes[1].udp);
  EXPECT_EQ(a.ready.probes[2].port, 7);
}
TEST(ImportCompose, takes_a_port_that_is_a_variable_and_no_mapping_that_is_one) {
  for (const char* port :
       {"'8080:${P:-90}'", "'${A}:${P:-90}'", "'$A:9${P:-0}'", "'127.0.0.1:${A:-1:2}:${P-90}'",
        "{target: '${P:-90}'}", "'${P:-90}'", "'${P:-${Q:-90}}/tcp'"})
    EXPECT_EQ(only(std::string("command: x, ports: [") + port + "]").ready.probes.at(0).port, 90) << port;
  for (const char* port : {"'${P:-80:90}'", "'${P}'", "'$P'", "'80:${P:-1-9}'", "'80:${A}-${B}'",
                           "'${P:-90/udp}'", "'80:${P'", "'80:x${P:-1}'"}) {
    const Imported import = compose(std::string("a: {command: x, ports: [") + port + "]}");
    EXPECT_TRUE(imported(import).services.at(0).ready.empty()) << port;
    EXPECT_TRUE(says(import, "the port `")) << port;
  }
}
TEST(ImportCompose, says_that_nothing_maps_a_port_to_another) {
  const Imported import = compose(
      "a: {command: x, ports: ['81:80', '82:82', {target: 83, published: 84, name: n}]}, b: {command: x, "
      "ports: "
      "['127.0.0.1:85:85']}");
  EXPECT_TRUE(says(import, "publishing `81:80` of `a` is not carried over"));
  EXPECT_TRUE(says(import, "publishing `84:83` of `a` is not carried over"));
  EXPECT_TRUE(says(import, "publishing `127.0.0.1:85:85` of `b` is not carried over"));
  EXPECT_TRUE(says(import, "`ports.name` of `a` is not carried over"));
  EXPECT_FALSE(says(import, "publishing `82"));
}
TEST(ImportCompose, lists_what_is_exposed_beside_what_is_published) {
  EXPECT_FALSE(says(compose("a: {command: x, ports: ['80:80', 81], expose: ['80', 81]}"), "`expose`"));
  EXPECT_TRUE(says(compose("a: {command: x, ports: ['80:80'], expose: ['80', 81]}"), "`expose` of `a`"));
  EXPECT_EQ(only("command: x, expose: [82]").ready.probes.at(0).port, 82);
}
TEST(ImportCompose, leaves_ranges_of_ports_to_a_person_and_publishes_of_one_port_are_one) {
  const Imported import = compose("a: {command: x, ports: ['9000-9002:8000-8002', '80:80', '81:80']}");
  ASSERT_EQ(imported(import).services.at(0).ready.probes.size(), 1U);
  EXPECT_TRUE(says(import, "the port `9000-9002:8000-8002` of `a` is not carried over"));
}
TEST(ImportCompose, leaves_the_second_of_two_services_with_one_container_port_to_a_person) {
  const Imported import = compose("a: {command: x, ports: ['81:80']}, b: {command: y, ports: ['82:80']}");
  EXPECT_TRUE(imported(import).services.at(1).ready.empty());
  EXPECT_TRUE(import.yaml.contains("# decide: port 80 is taken by `a` above"));
}
TEST(ImportCompose, reads_every_form_of_health_check) {
  for (const char* test : {"'pg | x'", "[CMD-SHELL, 'pg | x']"})
    EXPECT_EQ(only(std::string("command: x, healthcheck: {test: ") + test + "}").ready.probes.at(0).command,
              (Command{"sh", "-c", "pg | x"}));
  const Service a = only(
      "command: x, healthcheck: {test: [CMD, a, b], interval: 5s, timeout: 3s, retries: 7, start_period: "
      "1m, start_interval: 100ms}");
  const Probe& ready = a.ready.probes.at(0);
  const Probe& live = a.live->probes.at(0);
  EXPECT_EQ(ready.command, (Command{"a", "b"}));
  EXPECT_EQ(ready.period, 100ms);
  EXPECT_EQ(ready.attempt_timeout, 3s);
  EXPECT_EQ(live.period, 5s);
  EXPECT_EQ(live.failure_threshold, 7U);
  EXPECT_EQ(live.initial_delay, 1min);
  for (const char* none : {"{test: [NONE]}", "{disable: true, test: x}", "{test: []}", "{interval: 5s}"})
    EXPECT_TRUE(only(std::string("command: x, healthcheck: ") + none).ready.empty()) << none;
}
TEST(ImportCompose, says_so_when_nobody_knows_what_healthy_means) {
  const Imported import = compose(
      "a: {image: postgres}, b: {image: who/knows, command: y}, c: {command: x, depends_on: {a: {condition: "
      "service_healthy}, b: {condition: service_healthy}}}");
  const Stack stack = imported(import);
  EXPECT_EQ(service(stack, "a").ready.probes.at(0).port, 5432);
  EXPECT_TRUE(service(stack, "b").ready.empty());
  EXPECT_TRUE(says(import, "the health check of `b` is not carried over"));
}

TEST(ImportCompose, gives_a_health_check_its_30_seconds) {
  for (const char* timeout : {"", ", timeout: 0s"}) {
    const Service a = only(std::string("command: x, healthcheck: {test: [CMD, a]") + timeout + "}");
    EXPECT_EQ(a.ready.probes.at(0).attempt_timeout, 30s);
    EXPECT_EQ(a.live->probes.at(0).timeout, 30s);
  }
}
TEST(ImportCompose, lists_a_health_check_without_a_test) {
  for (const char* check : {"{interval: 5s}", "{test: []}", "{test: [CMD]}", "{test: [CMD-SHELL]}"})
    EXPECT_TRUE(says(compose(std::string("a: {command: x, healthcheck: ") + check + "}"),
                     "`healthcheck` of `a` is not carried over"))
        << check;
  EXPECT_FALSE(says(compose("a: {command: x, healthcheck: {test: [NONE]}}"), "not carried over"));
}
TEST(ImportCompose, lists_ports_that_say_nothing_of_readiness) {
  const Imported import = compose(
      "a: {command: x, healthcheck: {test: y}, ports: ['81:80'], expose: [9]}, b: {command: x, ports: "
      "['82:80']}, c: {command: x, depends_on: {b: {condition: service_completed_successfully}}}");
  EXPECT_TRUE(says(import, "`ports` of `a`, `b` is not carried over"));
  EXPECT_TRUE(says(import, "`expose` of `a` is not carried over"));
  EXPECT_TRUE(import.yaml.contains("# decide: port 80 is taken by `a` above")) << import.yaml;
}

// ---- dependencies

TEST(ImportCompose, waits_for_those_whose_network_or_files_it_shares) {
  const Stack stack = stack_of(
      "a: {command: x}, b: {command: x}, c: {command: x}, d: {command: x, links: ['a:db'], volumes_from: "
      "['b:ro'], network_mode: 'service:c', depends_on: [a]}");
  const Service& d = service(stack, "d");
  ASSERT_EQ(d.depends_on.size(), 3U);
  for (const Dependency& edge : d.depends_on) EXPECT_EQ(edge.condition, Condition::started);
}
TEST(ImportCompose, keeps_required_and_restart_of_an_edge) {
  const Stack stack = stack_of(
      "a: {command: x}, b: {command: x, depends_on: {a: {condition: service_started, required: false, "
      "restart: true}, gone: {condition: service_started, required: false}}}");
  ASSERT_EQ(service(stack, "b").depends_on.size(), 1U);
  EXPECT_FALSE(service(stack, "b").depends_on[0].required);
  EXPECT_EQ(service(stack, "b").depends_on[0].on_loss, OnLoss::restart);
}
TEST(ImportCompose, lays_what_a_service_extends_under_it) {
  const Stack stack = stack_of(
      "base: {command: x, restart: always, environment: [A=1, B=1], profiles: [t]}, a: {extends: {service: "
      "base}, environment: {B: 2}}, b: {extends: a, command: y}");
  EXPECT_EQ(service(stack, "a").restart->policy, RestartPolicy::always);
  EXPECT_EQ(service(stack, "b").command, Command{"y"});
  EXPECT_EQ(value_of(service(stack, "b").environment, "A"), "1");
  EXPECT_EQ(value_of(service(stack, "b").environment, "B"), "2");
}
TEST(ImportCompose, survives_services_that_extend_each_other) {
  const Imported import =
      compose("a: {extends: b, command: x}, b: {extends: a, command: y}, c: {extends: c}");
  EXPECT_EQ(imported(import).services.size(), 3U);
  EXPECT_TRUE(says(import, "`extends` of `a`, `b`, `c` is not carried over"));
}

TEST(ImportCompose, waits_for_nobody_who_is_not_in_the_file_and_for_nobody_in_a_way_it_does_not_know) {
  const Imported import = compose(
      "a: {command: x}, b: {command: x, depends_on: {a: {condition: service_novel}, gone: {condition: "
      "service_started}, b: {condition: service_started}}}");
  ASSERT_EQ(service(imported(import), "b").depends_on.size(), 1U);
  for (const char* what : {"depends_on.a.condition", "depends_on.gone", "depends_on.b"})
    EXPECT_TRUE(says(import, "`" + std::string(what) + "` of `b` is not carried over")) << what;
}
TEST(ImportCompose, writes_the_default_of_a_restart_that_a_variable_decides) {
  const Imported import =
      compose("a: {command: x, restart: '${R:-unless-stopped}'}, b: {command: x, restart: '${R}'}");
  EXPECT_EQ(service(imported(import), "a").restart->policy, RestartPolicy::always);
  EXPECT_EQ(service(imported(import), "b").restart->policy, RestartPolicy::no);
  EXPECT_TRUE(says(import, "`restart` of `a`, `b` is not carried over"));
}

// ---- everything else

TEST(ImportCompose, says_once_what_concerns_many_services) {
  const Imported import =
      compose("a: {command: x, image: i}, b: {command: x, image: j}, c: {command: x, image: k}");
  EXPECT_EQ(import.diagnostics.size(), 1U) << text_of(import.diagnostics);
  EXPECT_TRUE(says(import, "`image` of `a`, `b`, `c` is not carried over"));
  EXPECT_TRUE(import.yaml.contains("# not carried over: image (line 1)"));
}
TEST(ImportCompose, says_what_becomes_of_a_raw_env_file) {
  const Imported import = compose("a: {command: x, env_file: [{path: a.env, required: false, format: raw}]}");
  EXPECT_TRUE(says(import, "`env_file.format` of `a` is not carried over"));
}

TEST(ImportCompose, lists_every_key_it_does_not_know_by_line) {
  const Imported import = import_compose(
      "services:\n  a:\n    command: x\n    new_key: {a: [1]}\n    healthcheck: {test: x, later: y}\nbrand: "
      "n\n",
      "c");
  EXPECT_TRUE(says(import, "c:4:5: warning: `new_key` of `a` is not carried over"));
  EXPECT_TRUE(says(import, "c:5:28: warning: `healthcheck.later` of `a` is not carried over"));
  EXPECT_TRUE(says(import, "c:6:1: warning: `brand` is not carried over"));
  EXPECT_EQ(imported(import).services.size(), 1U);
}
TEST(ImportCompose, takes_any_shape_of_any_key) {
  for (const char* key : {"command",     "entrypoint",   "environment", "env_file",     "depends_on",
                          "healthcheck", "ports",        "expose",      "restart",      "deploy",
                          "ulimits",     "labels",       "profiles",    "secrets",      "security_opt",
                          "post_start",  "user",         "working_dir", "stop_signal",  "stop_grace_period",
                          "links",       "network_mode", "scale",       "extends",      "mem_limit",
                          "cpus",        "image",        "tty",         "oom_score_adj"})
    for (const char* value : {"", "[]", "{}", "[[a]]", "{a: {b: c}}", "text", "5", "[null]", "{a: }"}) {
      const Imported import =
          compose(std::string("a: {") + (std::string_view(key) == "command" ? "" : "command: x, ") + key +
                  ": " + value + "}");
      Document document;
      Diagnostics diagnostics;
      diagnostics.sources().emplace_back("out", import.yaml);
      EXPECT_NE(document.parse(diagnostics, 0), nullptr) << key << ": " << value << "\n" << import.yaml;
      EXPECT_FALSE(import.diagnostics.has_errors()) << key << ": " << value;
    }
}
TEST(ImportCompose, carries_limits_that_are_limits) {
  const Stack stack = stack_of(
      "a: {command: x, mem_limit: 512m, cpus: '0.5', pids_limit: -1, ulimits: {nofile: 9, memlock: {soft: "
      "-1, hard: -1}}}, b: {command: x, mem_limit: 0}");
  EXPECT_EQ(service(stack, "a").extras->cgroup->memory_max, 512ULL << 20U);
  EXPECT_EQ(service(stack, "a").extras->cgroup->pids_max, std::nullopt);
  EXPECT_EQ(service(stack, "a").extras->rlimits.size(), 2U);
  EXPECT_TRUE(service(stack, "b").extras == nullptr || !service(stack, "b").extras->cgroup);
}
TEST(ImportCompose, gives_limits_that_are_decimals_as_whole_numbers) {
  const auto memory = [](const char* limit) {
    return only(std::string("command: x, mem_limit: ") + limit).extras->cgroup->memory_max;
  };
  EXPECT_EQ(memory("1.5g"), 3ULL << 29U);
  EXPECT_EQ(memory("512mb"), 512ULL << 20U);
  EXPECT_EQ(memory("64b"), 64U);
  EXPECT_EQ(only("command: x, cpus: '.5'").extras->cgroup->cpu_max, 0.5);
  const Imported import = compose("a: {command: x, cpus: 0.001, mem_limit: much, pids_limit: few}");
  EXPECT_EQ(imported(import).services.at(0).extras->cgroup->cpu_max, 0.01);
  for (const char* what : {"memory", "processors", "processes"})
    EXPECT_TRUE(says(import, "`the limit of " + std::string(what) + "` of `a` is not carried over")) << what;
}
TEST(ImportCompose, lists_values_of_another_shape) {
  for (const char* pair :
       {"healthcheck: x", "restart: [no]", "restart: maybe", "mem_limit: [1]", "cpus: {a: b}",
        "entrypoint: {}", "stop_signal: [x]", "stop_signal: SIGFOO", "ports: {a: b}",
        "environment: [{FOO: bar}]", "environment: {A: [1]}", "labels: [[a]]"}) {
    const std::string name(std::string_view(pair).substr(0, std::string_view(pair).find(':')));
    const Imported import = compose("a: {command: x, " + std::string(pair) + "}");
    EXPECT_NO_THROW(imported(import)) << pair;
    EXPECT_TRUE(says(import, "`" + name + "` of `a` is not carried over")) << pair;
  }
  EXPECT_EQ(value_of(only("command: x, environment: [{FOO: bar}, BAZ=1]").environment, "BAZ"), "1");
}
TEST(ImportCompose, lists_keys_inside_of_deploy_and_edges) {
  const Imported import = compose(
      "a: {command: x, deploy: {resources: {limits: {memory: 1g, devices: [d]}, other: 1}, restart_policy: "
      "{condition: any, often: 1}}}, b: {command: x, depends_on: {a: {condition: service_started, foo: 1}}}");
  for (const char* what :
       {"deploy.resources.limits.devices", "deploy.resources.other", "deploy.restart_policy.often"})
    EXPECT_TRUE(says(import, "`" + std::string(what) + "` of `a` is not carried over")) << what;
  EXPECT_TRUE(says(import, "`depends_on.a.foo` of `b` is not carried over"));
}
TEST(ImportCompose, keeps_a_user_that_comes_from_variables) {
  const Imported import = compose("a: {command: x, user: '${UID}:${GID}'}");
  EXPECT_TRUE(import.yaml.contains("# decide: are its variables set"));
  LoadOptions options;
  options.environment = [](std::string_view) { return std::optional<std::string>("1000"); };
  const Loaded result = load_text(import.yaml, "/nowhere/x.yaml", options);
  EXPECT_EQ(*result.stack.services.at(0).user, "1000");
  EXPECT_EQ(result.stack.services.at(0).extras->group, "1000");
}
TEST(ImportCompose, gives_a_terminal_to_whoever_had_one) {
  const Imported import = compose("a: {command: x, tty: true, stdin_open: true}");
  EXPECT_TRUE(imported(import).services.at(0).extras->tty);
  EXPECT_TRUE(says(import, "`stdin_open` of `a` is not carried over"));
}
TEST(ImportCompose, of_replicas_none_are_started) {
  const Stack stack = stack_of("a: {command: x, deploy: {replicas: 0}}, b: {command: x, scale: 2}");
  EXPECT_FALSE(service(stack, "a").enabled);
  EXPECT_EQ(service(stack, "b").type, ServiceType::gate);
}
TEST(ImportCompose, durations_that_are_none_are_told) {
  const Imported import =
      compose("a: {command: x, stop_grace_period: 30, healthcheck: {test: y, timeout: z}}");
  EXPECT_EQ(imported(import).services.at(0).stop.timeout, 10s);
  EXPECT_TRUE(says(import, "`stop_grace_period` of `a` is not carried over"));
  EXPECT_TRUE(says(import, "`healthcheck.timeout` of `a` is not carried over"));
}
TEST(ImportCompose, says_where_secrets_lie) {
  const Imported import =
      import_compose("services: {a: {command: x, secrets: [pw]}}\nsecrets: {pw: {file: ./pw.txt}}", "c");
  EXPECT_TRUE(says(import, "write secrets: {VARIABLE: ./pw.txt}"));
}

// ---- names of services as hosts

TEST(ImportHosts, are_found_in_health_checks_and_commands) {
  for (const char* test : {"'curl -f http://db:80 || exit 1'", "[CMD, pg_isready, -h, db]",
                           "[CMD-SHELL, 'nc -z db 5432']", "[CMD, mysqladmin, --host=db, ping]"}) {
    const Imported import =
        compose(std::string("db: {command: x}, a: {command: x, healthcheck: {test: ") + test + "}}");
    EXPECT_TRUE(says(import, "the host name `db` in healthcheck of `a`")) << test;
    EXPECT_TRUE(import.yaml.contains("# decide: hosts in healthcheck")) << test;
  }
  EXPECT_FALSE(
      says(compose("db: {command: x}, a: {command: x, healthcheck: {test: [CMD, psql, db]}}"), "host name"));
}
TEST(ImportHosts, have_more_names_than_their_services) {
  const Imported import = compose(
      "a: {command: x, hostname: one, container_name: two, networks: {n: {aliases: [three]}}}, b: {command: "
      "x, "
      "links: ['a:four'], environment: {A_HOST: one, B_HOST: two, C_HOST: three, D_HOST: four, E_HOST: "
      "five}}");
  for (const char* host : {"`one` in A_HOST", "`two` in B_HOST", "`three` in C_HOST", "`four` in D_HOST"})
    EXPECT_TRUE(says(import, "the host name " + std::string(host))) << host;
  EXPECT_FALSE(says(import, "in E_HOST of"));
}
TEST(ImportHosts, are_found_in_lists_and_defaults) {
  const std::vector<std::string_view> written{"db", "cache"};
  const Names names(written);
  EXPECT_EQ(host_in("SEED_HOSTS", "other,db", names), "db");
  EXPECT_EQ(host_in("A_HOST", "${X:-db}", names), "db");
  EXPECT_EQ(host_in("X", "${DB_HOST-db}", names), "db");
  EXPECT_EQ(host_in("X", "redis://${A:-${B:-cache}}:${P:-1}/0", names), "cache");
  EXPECT_EQ(host_in("DB_URL", "postgres://${U:-db}:${P:-pw}@127.0.0.1/x", names), "");
  for (const char* value : {"${", "${A", "${A:-", "${A:-${", "}", "${-db}", "${A:?db}"})
    EXPECT_EQ(host_in("X", value, names), "") << value;
}
TEST(ImportHosts, are_found_where_a_host_stands) {
  const std::vector<std::string_view> written{"db", "cache", "web"};
  const Names names(written);
  for (const char* value : {"db:5432", "postgres://u:p@db:5432/x", "redis://cache/0", "http://web",
                            "a:1,db:2", "--broker=cache:6379", "jdbc:postgresql://db:5432/x"})
    EXPECT_NE(host_in("X", value, names), "") << value;
  for (const char* value :
       {"db", "web:abc", "postgres://db:secret@elsewhere/x", "the db is up", "/db/x", "mydb:5432", "db@host"})
    EXPECT_EQ(host_in("X", value, names), "") << value;
  EXPECT_EQ(host_in("DB_HOST", "db", names), "db");
}

}  // namespace
}  // namespace belfry::config
