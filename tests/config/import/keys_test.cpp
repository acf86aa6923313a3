// Every key that the schemas of compose and process-compose know is carried over or listed, once, and what is
// written is a belfry file.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

struct Sample {
  const char* key;    // "deploy.endpoint_mode" stands in `deploy`
  const char* value;  // as the schema wants it, and other than the default
};
std::ostream& operator<<(std::ostream& out, const Sample& sample) { return out << sample.key; }

// `a.b: v` as `a: {b: v}`.
std::string written(std::string_view key, const std::string& value) {
  const auto dot = key.find('.');
  if (dot == std::string_view::npos) return std::string(key) + ": " + value;
  return std::string(key.substr(0, dot)) + ": {" + written(key.substr(dot + 1), value) + "}";
}

std::size_t count(std::string_view text, std::string_view needle) {
  std::size_t found = 0;
  for (auto at = text.find(needle); at != std::string_view::npos; at = text.find(needle, at + 1)) ++found;
  return found;
}

// The warnings that name `key`, what it stands in, or what stands in it.
std::size_t listed(const Imported& import, std::string_view key) {
  return static_cast<std::size_t>(std::ranges::count_if(import.diagnostics, [&](const Diagnostic& one) {
    for (auto end = key.size(); end != std::string_view::npos && end > 0; end = key.rfind('.', end - 1))
      if (one.message.contains("`" + std::string(key.substr(0, end)) + "`")) return true;
    return one.message.contains("`" + std::string(key) + ".");
  }));
}

// What check says of what was written; files of the source are not here.
std::string faults_of(const Imported& import) { return errors_of(loaded_from(import.yaml)); }

using Import = Imported (*)(const std::string& keys);

Imported compose(const std::string& keys) {
  return import_compose("services:\n  a: {command: x" + std::string(keys.empty() ? "" : ", ") + keys +
                            "}\n  b: {command: y, environment: {B: '1'}}\n",
                        "c", "/srv");
}
Imported compose_top(const std::string& keys) {
  return import_compose("services: {a: {command: x}, b: {command: y}}\n" + keys + "\n", "c", "/srv");
}
Imported process(const std::string& keys) {
  return import_process_compose("processes:\n  a: {command: x" + std::string(keys.empty() ? "" : ", ") +
                                    keys + "}\n  b: {command: y, environment: {B: '1'}}\n",
                                "p", "/srv");
}
Imported process_top(const std::string& keys) {
  return import_process_compose("processes: {a: {command: x}, b: {command: y}}\n" + keys + "\n", "p", "/srv");
}

// Either it makes a difference in the file, or it is listed; never both for a key without keys of its own.
void expect_carried_or_listed(Import import, const Sample& sample) {
  const Imported with = import(written(sample.key, sample.value)), without = import("");
  const std::string key(sample.key);
  const std::string yaml = with.yaml.substr(0, with.yaml.find("    # not carried over:"));
  const bool carried = yaml != without.yaml.substr(0, without.yaml.find("    # not carried over:"));
  const std::size_t said = listed(with, key);
  EXPECT_TRUE(carried || said > 0) << key << " vanished\n" << with.yaml;
  EXPECT_LE(said, 1U) << key << " is listed more than once\n" << text_of(with.diagnostics);
  EXPECT_EQ(faults_of(with), "") << key << "\n" << with.yaml;
}

class ComposeKeys : public testing::TestWithParam<Sample> {};
TEST_P(ComposeKeys, are_carried_or_listed_once) { expect_carried_or_listed(compose, GetParam()); }
INSTANTIATE_TEST_SUITE_P(
    , ComposeKeys,
    testing::Values(
        Sample{"annotations", "{k: v}"}, Sample{"attach", "false"}, Sample{"blkio_config.weight", "300"},
        Sample{"build", "."}, Sample{"build.context", "."}, Sample{"cap_add", "[ALL]"},
        Sample{"cap_drop", "[ALL]"}, Sample{"cgroup", "host"}, Sample{"cgroup_parent", "m"},
        Sample{"configs", "[c]"}, Sample{"container_name", "n"}, Sample{"cpu_count", "2"},
        Sample{"cpu_percent", "50"}, Sample{"cpu_period", "1"}, Sample{"cpu_quota", "1"},
        Sample{"cpu_rt_period", "1"}, Sample{"cpu_rt_runtime", "1"}, Sample{"cpu_shares", "1"},
        Sample{"cpus", "0.5"}, Sample{"cpuset", "0"}, Sample{"credential_spec.file", "f"},
        Sample{"depends_on", "[b]"}, Sample{"depends_on", "b"},
        Sample{"depends_on.b.condition", "service_started"}, Sample{"depends_on.b.restart", "true"},
        Sample{"depends_on.b.required", "false"}, Sample{"deploy.endpoint_mode", "vip"},
        Sample{"deploy.labels", "{k: v}"}, Sample{"deploy.mode", "global"}, Sample{"deploy.placement", "{}"},
        Sample{"deploy.replicas", "2"}, Sample{"deploy.resources.limits.cpus", "'0.5'"},
        Sample{"deploy.resources.limits.memory", "1g"}, Sample{"deploy.resources.limits.pids", "9"},
        Sample{"deploy.resources.reservations.memory", "1g"},
        Sample{"deploy.restart_policy.condition", "any"},
        Sample{"deploy.restart_policy", "{condition: any, delay: 2s, max_attempts: 3, window: 9s}"},
        Sample{"deploy.rollback_config", "{order: stop-first}"},
        Sample{"deploy.update_config", "{order: stop-first}"},
        Sample{"develop.watch", "[{path: ., action: rebuild}]"}, Sample{"device_cgroup_rules", "[r]"},
        Sample{"devices", "[/dev/fuse]"}, Sample{"dns", "1.1.1.1"}, Sample{"dns_opt", "[x]"},
        Sample{"dns_search", "d"}, Sample{"domainname", "d"}, Sample{"entrypoint", "[e]"},
        Sample{"env_file", "e.env"}, Sample{"env_file", "[{path: e.env, required: false}]"},
        Sample{"environment", "{A: '1'}"}, Sample{"expose", "[80]"}, Sample{"extends", "b"},
        Sample{"extends.service", "b"}, Sample{"extends", "{file: f, service: s}"},
        Sample{"external_links", "[l]"}, Sample{"extra_hosts", "[h]"}, Sample{"gpus", "all"},
        Sample{"group_add", "[g]"}, Sample{"healthcheck.test", "[CMD, t]"},
        Sample{"healthcheck", "{test: t, retries: 5, interval: 2s}"}, Sample{"hostname", "h"},
        Sample{"image", "i"}, Sample{"ipc", "host"}, Sample{"isolation", "i"}, Sample{"label_file", "f"},
        Sample{"labels", "{k: v}"}, Sample{"links", "[b]"}, Sample{"logging.driver", "syslog"},
        Sample{"mac_address", "m"}, Sample{"mem_limit", "1g"}, Sample{"mem_reservation", "1g"},
        Sample{"mem_swappiness", "1"}, Sample{"memswap_limit", "1g"}, Sample{"models", "[m]"},
        Sample{"network_mode", "host"}, Sample{"networks", "[n]"}, Sample{"oom_kill_disable", "true"},
        Sample{"oom_score_adj", "100"}, Sample{"pid", "host"}, Sample{"pids_limit", "9"},
        Sample{"platform", "p"}, Sample{"ports", "['80:80']"},
        Sample{"ports", "[{target: 80, published: '8080', protocol: tcp}]"},
        Sample{"post_start", "[{command: c}]"}, Sample{"pre_stop", "[{command: c}]"},
        Sample{"privileged", "true"}, Sample{"profiles", "[p]"}, Sample{"provider.type", "p"},
        Sample{"pull_policy", "always"}, Sample{"pull_refresh_after", "1d"}, Sample{"read_only", "true"},
        Sample{"restart", "always"}, Sample{"runtime", "r"}, Sample{"scale", "2"}, Sample{"secrets", "[s]"},
        Sample{"security_opt", "['no-new-privileges:true']"}, Sample{"security_opt", "[seccomp=x]"},
        Sample{"shm_size", "1g"}, Sample{"stdin_open", "true"}, Sample{"stop_grace_period", "9s"},
        Sample{"stop_signal", "SIGINT"}, Sample{"storage_opt.size", "1g"}, Sample{"sysctls", "{k: v}"},
        Sample{"tmpfs", "/run"}, Sample{"tty", "true"}, Sample{"ulimits.nofile", "9"},
        Sample{"ulimits.novel", "9"}, Sample{"use_api_socket", "true"}, Sample{"user", "u"},
        Sample{"userns_mode", "host"}, Sample{"uts", "host"}, Sample{"volumes", "['v:/v']"},
        Sample{"volumes_from", "[b]"}, Sample{"working_dir", "/w"}));

class ComposeTopKeys : public testing::TestWithParam<Sample> {};
TEST_P(ComposeTopKeys, are_carried_or_listed_once) { expect_carried_or_listed(compose_top, GetParam()); }
INSTANTIATE_TEST_SUITE_P(, ComposeTopKeys,
                         testing::Values(Sample{"name", "n"}, Sample{"include", "[f]"},
                                         Sample{"models", "{m: {}}"}, Sample{"networks", "{n: {}}"},
                                         Sample{"volumes", "{v: {}}"}, Sample{"secrets", "{s: {file: f}}"},
                                         Sample{"configs", "{c: {file: f}}"}, Sample{"novel", "1"}));

class ProcessKeys : public testing::TestWithParam<Sample> {};
TEST_P(ProcessKeys, are_carried_or_listed_once) { expect_carried_or_listed(process, GetParam()); }
INSTANTIATE_TEST_SUITE_P(
    , ProcessKeys,
    testing::Values(
        Sample{"args", "[x]"}, Sample{"availability.restart", "always"},
        Sample{"availability.max_restarts", "3"},
        Sample{"availability", "{restart: always, backoff_seconds: 3}"},
        Sample{"availability.exit_on_end", "true"}, Sample{"availability.exit_on_skipped", "true"},
        Sample{"availability.novel", "1"}, Sample{"depends_on.b.condition", "process_started"},
        Sample{"depends_on.b.condition", "process_healthy"},
        Sample{"depends_on.b.condition", "process_completed"},
        Sample{"depends_on.b.condition", "process_completed_successfully"},
        Sample{"depends_on.b.condition", "process_log_ready"},
        Sample{"depends_on.c.condition", "process_started"}, Sample{"depends_on.b.condition", "7"},
        Sample{"description", "d"}, Sample{"disable_ansi_colors", "true"}, Sample{"disabled", "true"},
        Sample{"entrypoint", "[e, f]"}, Sample{"env_file", "e.env"}, Sample{"environment", "[A=1]"},
        Sample{"executable", "e"}, Sample{"extends", "b"}, Sample{"extends", "z"}, Sample{"extends", "a"},
        Sample{"is_daemon", "true"}, Sample{"is_disabled", "'true'"}, Sample{"is_dotenv_disabled", "true"},
        Sample{"is_elevated", "true"}, Sample{"is_foreground", "true"}, Sample{"is_interactive", "true"},
        Sample{"is_tty", "true"}, Sample{"launch_timeout_seconds", "3"},
        Sample{"liveness_probe.exec.command", "c"},
        Sample{"liveness_probe", "{exec: {command: c, working_dir: d}}"},
        Sample{"liveness_probe",
               "{http_get: {host: h, scheme: http, path: /p, port: '8', headers: {A: b}, status_code: 204}}"},
        Sample{"log_configuration.rotation.max_size_mb", "1"}, Sample{"log_location", "l"},
        Sample{"mcp.type", "tool"}, Sample{"monitor_for", "silence"},
        Sample{"monitor_silence_threshold", "9"}, Sample{"namespace", "n"}, Sample{"namespace", "[n, o]"},
        Sample{"original_config", "o"}, Sample{"readiness_probe.exec.command", "c"},
        Sample{"readiness_probe",
               "{exec: {command: c}, initial_delay_seconds: 1, period_seconds: 2, timeout_seconds: 3, "
               "success_threshold: 4, failure_threshold: 5}"},
        Sample{"readiness_probe.http_get.num_port", "8"}, Sample{"ready_log_line", "up"},
        Sample{"replica_name", "n"}, Sample{"replica_num", "1"}, Sample{"replicas", "2"},
        Sample{"schedule.cron", "'* * * * *'"}, Sample{"shutdown.command", "c"},
        Sample{"shutdown.parent_only", "true"}, Sample{"shutdown.send_keys", "q"},
        Sample{"shutdown.signal", "2"}, Sample{"shutdown.timeout_seconds", "3"},
        Sample{"success_exit_codes", "[130, 143]"}, Sample{"success_exit_codes", "[1000]"},
        Sample{"truncate_log", "true"}, Sample{"watch.paths", "[p]"}, Sample{"working_dir", "w"}));

class ProcessTopKeys : public testing::TestWithParam<Sample> {};
TEST_P(ProcessTopKeys, are_carried_or_listed_once) { expect_carried_or_listed(process_top, GetParam()); }
INSTANTIATE_TEST_SUITE_P(
    , ProcessTopKeys,
    testing::Values(Sample{"name", "n"}, Sample{"log_location", "l"}, Sample{"log_level", "debug"},
                    Sample{"log_length", "9"}, Sample{"log_format", "f"},
                    Sample{"log_configuration.no_color", "true"}, Sample{"environment", "[A=1]"},
                    Sample{"shell.elevated_shell_command", "sudo"}, Sample{"extends", "f.yaml"},
                    Sample{"env_cmds", "{A: date}"}, Sample{"ordered_shutdown", "false"},
                    Sample{"is_tui_disabled", "false"}, Sample{"file_names", "[f]"},
                    Sample{"env_file_names", "[f]"}, Sample{"dot_env_vars", "{A: b}"}, Sample{"novel", "1"}));

// ---- values that are none of the schema's

// Each is written under each key: what comes out is a belfry file, or the key is listed.
void expect_a_belfry_file(Import import, const std::string& key, const std::string& value) {
  const Imported made = import(key + ": " + value);
  ASSERT_FALSE(made.diagnostics.has_errors()) << key << ": " << value;
  if (const std::string faults = faults_of(made); !faults.empty())
    EXPECT_GT(listed(made, key) + count(text_of(made.diagnostics), "the port `"), 0U)
        << key << ": " << value << "\n"
        << faults << made.yaml;
}

constexpr const char* odd_values[] = {
    "",        "[]",    "{}",    "[[a]]",    "{a: {b: c}}", "text",         "5",   "-1", "0",      "0.5",
    "[null]",  "{a: }", "''",    "true",     "007",         "999999999999", "10s", "80", "['80']", "[b]",
    "{b: {}}", "b",     "[A=1]", "'a && b'", "[a, '&&', b]"};

TEST(ImportKeys, of_compose_become_a_belfry_file_whatever_stands_there) {
  for (const char* key : {"entrypoint",   "environment",  "env_file",    "depends_on",   "healthcheck",
                          "ports",        "expose",       "restart",     "deploy",       "ulimits",
                          "labels",       "profiles",     "secrets",     "security_opt", "post_start",
                          "pre_stop",     "user",         "working_dir", "stop_signal",  "stop_grace_period",
                          "links",        "network_mode", "scale",       "extends",      "mem_limit",
                          "cpus",         "pids_limit",   "image",       "tty",          "oom_score_adj",
                          "volumes_from", "attach",       "init"})
    for (const char* value : odd_values) expect_a_belfry_file(compose, key, value);
}
TEST(ImportKeys, of_process_compose_become_a_belfry_file_whatever_stands_there) {
  for (const char* key :
       {"entrypoint",   "environment",       "env_file",       "depends_on",         "availability",
        "shutdown",     "readiness_probe",   "liveness_probe", "ready_log_line",     "vars",
        "working_dir",  "replicas",          "namespace",      "disabled",           "is_disabled",
        "log_location", "is_daemon",         "extends",        "success_exit_codes", "description",
        "is_tty",       "is_dotenv_disabled"})
    for (const char* value : odd_values) expect_a_belfry_file(process, key, value);
}

}  // namespace
}  // namespace belfry::config
