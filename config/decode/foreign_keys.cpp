// Keys of compose, systemd, supervisord, process-compose and Kubernetes, translated.
#include <algorithm>
#include <array>
#include <utility>

#include "config/decode/decode.hpp"

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
      {"is_daemon", "belfry follows a daemon that forks when it has a `ready:`"},
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
      {"needs", "in belfry: `depends_on:`"},
      // compose
      {"hostname", "services share the host's network: they are at 127.0.0.1"},
      {"domainname", "services share the host's network: they are at 127.0.0.1"},
      {"network_mode", "belfry runs processes, not containers: they share the host's network"},
      {"extra_hosts", "write them into /etc/hosts: services share the host's network"},
      {"tmpfs", "in belfry: `sandbox: {private_tmp: true}`"},
      {"scale", "in belfry: `replicas:`"},
      {"stdin_open", "in belfry: `stdin: inherit`"},
      {"mem_limit", "in belfry: `cgroup: {memory_max: 512MiB}`"},
      {"cpus", "in belfry: `cgroup: {cpu_max: 1.5}`"},
      {"pids_limit", "in belfry: `cgroup: {pids_max: 200}`"},
      {"security_opt", "in belfry: `no_new_privileges: true`"},
      {"privileged", "a service has the rights of its `user:`"},
      {"cap_add", "in belfry: `capabilities: {ambient: [NET_ADMIN]}`"},
      {"cap_drop", "in belfry: `capabilities: {drop: [all]}`"},
      {"group_add", "in belfry: `supplementary_groups:`"},
      // supervisord
      {"autorestart", "in belfry: `restart: on-failure`, `always` or `no`"},
      {"startretries", "in belfry: `restart: {limit: 3}`"},
      {"startsecs",
       "say when it is ready with `ready:`; `restart: {reset_after: 10s}` is about the back-off"},
      {"stopsignal", "in belfry: `stop: {signal: SIGTERM}`"},
      {"stopwaitsecs", "in belfry: `stop: {timeout: 10s}`"},
      {"stopasgroup", "remove it: belfry always stops the whole process tree"},
      {"killasgroup", "remove it: belfry always stops the whole process tree"},
      {"exitcodes", "in belfry: `success_exit_codes:`"},
      {"numprocs", "in belfry: `replicas:`"},
      {"priority", "in belfry: `depends_on:` says what comes first"},
      {"stdout_logfile", "in belfry: `log: {file: PATH}`"},
      {"stderr_logfile", "in belfry: `log: {file: PATH}` holds both outputs"},
      {"redirect_stderr", "remove it: both outputs are logged"},
      // systemd
      {"ExecStart", "in belfry: `command:`"},
      {"ExecStartPre", "in belfry: `pre_start:`"},
      {"ExecStartPost", "in belfry: `post_start:`"},
      {"ExecCondition", "in belfry: `pre_start:` must exit with 0"},
      {"ExecStop",
       "in belfry: `pre_stop:` runs a command, `stop: {signal: SIGTERM}` says which signal comes next"},
      {"ExecStopPost", "in belfry: `post_stop:`"},
      {"ExecReload", "in belfry: `reload: {command: […]}`, or a signal: `reload: SIGHUP`"},
      {"After", "in belfry: `depends_on:`"},
      {"Requires", "in belfry: `depends_on:`"},
      {"Requisite", "in belfry: `depends_on:`"},
      {"Wants", "in belfry: `depends_on: {NAME: {required: false}}`"},
      {"BindsTo", "in belfry: `depends_on: {NAME: {on_loss: stop}}`"},
      {"PartOf", "in belfry: `depends_on: {NAME: {on_loss: restart}}`"},
      {"Before", "write `depends_on:` in the service that comes later"},
      {"before", "write `depends_on:` in the service that comes later"},
      {"RequiredBy", "write `depends_on:` in the service that comes later"},
      {"WantedBy", "remove it: what is in the file is started, unless `profiles:` say otherwise"},
      {"KillSignal", "in belfry: `stop: {signal: SIGTERM}`"},
      {"KillMode", "remove it: belfry always stops the whole process tree"},
      {"TimeoutStopSec", "in belfry: `stop: {timeout: 10s}`"},
      {"TimeoutStartSec", "in belfry: `ready: {…, timeout: 60s}`"},
      {"TimeoutSec", "in belfry: `ready: {…, timeout: 60s}` and `stop: {timeout: 10s}`"},
      {"RestartSec", "in belfry: `restart: {delay: 100ms}`"},
      {"StartLimitBurst", "in belfry: `restart: {limit: 5 per 10s}`"},
      {"StartLimitIntervalSec", "in belfry: `restart: {limit: 5 per 10s}`"},
      {"SuccessExitStatus", "in belfry: `success_exit_codes:`"},
      {"WatchdogSec", "in belfry: `watchdog: 30s`"},
      {"WorkingDirectory", "in belfry: `working_dir:`"},
      {"EnvironmentFile", "in belfry: `env_file:`"},
      {"ListenStream", "in belfry: `listen:`"},
      {"FileDescriptorStoreMax", "in belfry: `fd_store:`"},
      {"OOMScoreAdjust", "in belfry: `oom_score_adj:`"},
      {"LimitNOFILE", "in belfry: `rlimits: {nofile: 4096}`"},
      {"MemoryMax", "in belfry: `cgroup: {memory_max: 512MiB}`"},
      {"CPUQuota", "in belfry: `cgroup: {cpu_max: 1.5}`"},
      {"TasksMax", "in belfry: `cgroup: {pids_max: 200}`"},
      {"StandardInput", "in belfry: `stdin:`"},
      {"StandardOutput", "in belfry: `log:`"},
      {"StandardError", "in belfry: `log:` is about both outputs"},
  });
  for (const auto& [foreign, help] : rows)
    if (foreign == key) return help;
  return {};
}

std::string_view foreign_value_help(std::string_view value, std::span<const std::string_view> known) {
  struct Row {
    std::string_view foreign;
    std::string_view means;  // the help is about a place where this is known
    std::string_view help;
  };
  constexpr auto rows = std::to_array<Row>({
      {"unless-stopped", "always", "in belfry: `always`; what was stopped by command stays stopped"},
      {"unless_stopped", "always", "in belfry: `always`; what was stopped by command stays stopped"},
      {"true", "always", "in belfry: `always`"},
      {"false", "on-failure", "in belfry: `no`"},
      {"off", "on-failure", "in belfry: `no`"},
      {"never", "on-failure", "in belfry: `no`"},
      {"unexpected", "on-failure", "in belfry: `on-failure`"},
      {"on-abnormal", "on-failure", "in belfry: `on-failure`"},
      {"on-abort", "on-failure", "in belfry: `on-failure`"},
      {"exit_on_failure", "on-failure", "in belfry: `no`, and `essential: true` of the service"},
      {"simple", "daemon", "in belfry: `daemon`, which is the default"},
      {"forking", "daemon", "in belfry: `daemon` with a `ready:` probe"},
      {"notify", "daemon", "in belfry: `daemon` with `ready: notify`"},
      {"process", "daemon", "in belfry: `daemon`"},
      {"service", "daemon", "in belfry: `daemon`"},
      {"task", "oneshot", "in belfry: `oneshot`"},
      {"job", "oneshot", "in belfry: `oneshot`"},
      {"false", "auto", "in belfry: `off`"},
      {"no", "auto", "in belfry: `off`"},
  });
  for (const auto& [foreign, means, help] : rows)
    if (foreign == value && std::ranges::find(known, means) != known.end()) return help;
  return {};
}

std::string_view foreign_condition_help(std::string_view name) {
  using Row = std::pair<std::string_view, std::string_view>;
  constexpr auto rows = std::to_array<Row>({
      {"healthy", "in belfry: `ready`"},
      {"service_ready", "in belfry: `ready`"},
      {"running", "in belfry: `started`, or `ready`"},
      {"completed_successfully", "in belfry: `completed`"},
      {"success", "in belfry: `completed`"},
      {"succeeded", "in belfry: `completed`"},
      {"finished", "in belfry: `completed`, or `stopped` whatever its exit code"},
      {"exited", "in belfry: `completed`, or `stopped` whatever its exit code"},
  });
  for (const auto& [foreign, help] : rows)
    if (foreign == name) return help;
  return {};
}

}  // namespace belfry::config
