// Keys of compose, systemd, supervisord, process-compose and Kubernetes, translated.
#include <array>
#include <utility>

#include "config/decoder.hpp"

namespace belfry::config {

std::string_view foreign_key_help(std::string_view key) {
  using Row = std::pair<std::string_view, std::string_view>;
  constexpr auto rows = std::to_array<Row>({
      {"healthcheck",
       "belfry asks two things: `ready:` (may others start?) and `live:` (must it be restarted?)"},
      {"readiness_probe", "in belfry: `ready: {http: URL}`, `ready: {exec: [cmd]}`, …"},
      {"liveness_probe", "in belfry: `live: {http: URL}`, `live: {exec: [cmd]}`, …"},
      {"readiness", "in belfry: `ready:`"},
      {"liveness", "in belfry: `live:`"},
      {"readinessProbe", "in belfry: `ready:`"},
      {"livenessProbe", "in belfry: `live:`"},
      {"ready_log_line", "in belfry: `ready: {log: REGEX}`"},
      {"availability", "in belfry: `restart: {policy: …, delay: …, limit: …}`"},
      {"stop_signal", "in belfry: `stop: {signal: SIGTERM}`"},
      {"stop_grace_period", "in belfry: `stop: {timeout: 10s}`"},
      {"entrypoint", "in belfry: `command:` holds the program and its arguments"},
      {"exec", "in belfry: `command:` holds the program and its arguments"},
      {"cmd", "in belfry: `command:`"},
      {"args", "in belfry: `command:` holds the program and its arguments"},
      {"image", "belfry runs processes, not containers: write `command:`"},
      {"build", "belfry runs processes, not containers: write `command:`"},
      {"volumes", "belfry runs processes, not containers: they see the host's files"},
      {"networks", "belfry runs processes, not containers: they share the host's network"},
      {"container_name", "a service is known by its key"},
      {"expose", "to wait for a port write `ready: {port: N}`"},
      {"env", "in belfry: `environment:`"},
      {"cwd", "in belfry: `working_dir:`"},
      {"directory", "in belfry: `working_dir:`"},
      {"workdir", "in belfry: `working_dir:`"},
      {"after", "in belfry: `depends_on:`"},
      {"requires", "in belfry: `depends_on:`"},
      {"wants", "in belfry: `depends_on: {NAME: {required: false}}`"},
      {"links", "in belfry: `depends_on:`"},
      {"processes", "in belfry: `services:`"},
      {"programs", "in belfry: `services:`"},
      {"version", "remove it: the format has no versions"},
      {"include", "pass every file with -c; later ones win"},
      {"deploy", "in belfry: `replicas:` and `cgroup:` of the service itself"},
      {"ulimits", "in belfry: `rlimits: {nofile: 4096}`"},
      {"logging", "in belfry: `log:`"},
      {"log_location", "in belfry: `log: {file: PATH}`"},
      {"is_daemon", "belfry follows a daemon that forks by itself; say when it is ready with `ready:`"},
      {"init", "belfry is the init"},
      {"autostart", "in belfry: `profiles: [NAME]` starts a service only when asked"},
      {"ports", "to wait for a port write `ready: {port: N}`; `ports:` at the top level names free ones"},
      {"secrets", "in belfry: `secrets: {VARIABLE: FILE}` of a service"},
      {"configs", "a service sees the host's files"},
      {"environment", "write it in the service, or under `defaults:`"},
      {"restart", "of a dependency: `on_loss: restart`; of a service: `restart: on-failure`"},
      {"interval", "in belfry: `period`"},
      {"retries", "in belfry: `failure_threshold`"},
      {"start_period",
       "in belfry: `initial_delay`, or nothing: failures before the first success do not count"},
      {"test", "in belfry: `exec: [command]`"},
      {"grace", "in belfry: `timeout`"},
      {"backoff", "in belfry: `delay`, `max_delay` and `factor`"},
      {"backoff_seconds", "in belfry: `delay`"},
      {"max_restarts", "in belfry: `limit`"},
      {"period_seconds", "in belfry: `period: 10s`"},
      {"timeout_seconds", "in belfry: `attempt_timeout: 2s`"},
      {"initial_delay_seconds", "in belfry: `initial_delay: 1s`"},
      {"http_get", "in belfry: `http: URL`"},
      {"httpGet", "in belfry: `http: URL`"},
      {"exit_on_end", "in belfry: `main: true` of the service"},
  });
  for (auto const& [foreign, help] : rows)
    if (foreign == key) return help;
  return {};
}

std::string_view foreign_value_help(std::string_view value) {
  using Row = std::pair<std::string_view, std::string_view>;
  constexpr auto rows = std::to_array<Row>({
      {"unless-stopped", "in belfry: `always`; what was stopped by command stays stopped"},
      {"never", "in belfry: `no`"},
      {"exit_on_failure", "in belfry: `no`, and `essential: true` of the service"},
      {"simple", "in belfry: `daemon`, which is the default"},
      {"forking", "in belfry: `daemon` with a `ready:` probe"},
      {"notify", "in belfry: `daemon` with `ready: notify`"},
      {"process", "in belfry: `daemon`"},
      {"task", "in belfry: `oneshot`"},
      {"job", "in belfry: `oneshot`"},
  });
  for (auto const& [foreign, help] : rows)
    if (foreign == value) return help;
  return {};
}

}  // namespace belfry::config
