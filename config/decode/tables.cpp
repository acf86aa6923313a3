// All mappings of the file and all shapes a value may have, for the schema and the reference page.
#include <array>

#include "config/decode/decode.hpp"
#include "config/decode/probe_kinds.hpp"
#include "config/decode/tables.hpp"

namespace belfry::config {
namespace {

template <class T>
Table table(std::string_view name, std::string_view title, std::string_view meaning, Fields<T> fields) {
  Table out{name, title, meaning, {}, {}, false};
  for (const Field<T>& field : fields) out.keys.push_back(&field.key);
  return out;
}

// Of what is inside of these, a reload makes what it makes of the whole.
template <class T>
Table outermost(std::string_view name, std::string_view title, std::string_view meaning, Fields<T> fields) {
  Table out = table(name, title, meaning, fields);
  out.says_reload = true;
  return out;
}

Table probe_table() {
  Table out = table("probe", "A probe",
                    "What stands in `ready`, `live` and `bells`: exactly one kind, its options, and tuning.",
                    probe_fields());
  const auto kinds = probe_kind_names();
  out.one_of.assign(kinds.begin(), kinds.end());
  out.one_of.push_back("any");
  return out;
}

std::vector<Table> all_tables() {
  return {
      outermost("file", "The file", "The top level.", stack_fields()),
      table("http", "`http`", "Health, metrics, API and dashboard.", http_fields()),
      table("http_tls", "`tls` of `http`", "What belfry shows of itself, and whom it lets in.",
            http_tls_fields()),
      table("control", "`control`", "The socket for commands.", control_fields()),
      table("shutdown", "`shutdown`", "The graceful stop of the whole stack.", shutdown_fields()),
      table("cluster", "`cluster`", "How this host shares readiness with others, through etcd.",
            cluster_fields()),
      table("limits", "`limits`", "Limits on what runs at the same time.", limits_fields()),
      outermost("service", "A service", "What stands under a name in `services`, and in `defaults`.",
                service_fields()),
      table("dependency", "A dependency",
            "What may stand behind a name in `depends_on`, instead of a condition.", dependency_fields()),
      probe_table(),
      table("json_options", "`json` of a probe", "What an answer must have at a place in it.", json_fields()),
      table("log_probe_options", "`log` of a probe", "The long form.", log_probe_fields()),
      table("dns_options", "`dns` of a probe", "The long form.", dns_fields()),
      table("tls_options", "`tls` of a probe", "How belfry speaks TLS, and what it believes.", tls_fields()),
      table("update", "`update`", "How a service is replaced by a newer one of itself.", update_fields()),
      table("restart_options", "`restart`", "The long form.", restart_fields()),
      table("schedule_options", "`schedule`",
            "When a oneshot runs by itself: `every` or `cron`, and the rest.", schedule_fields()),
      table("stop", "`stop`", "How a service is asked to stop.", stop_fields()),
      table("log_options", "`log`", "What becomes of a service's output.", log_fields()),
      table("cgroup", "`cgroup`", "Limits of the whole process tree.", cgroup_fields()),
      capabilities_key_table(),
      table("io_priority_options", "`io_priority`", "The long form.", io_priority_fields()),
      table("own_directory", "A directory of its own", "The long form of a name.", own_directory_fields()),
      table("sandbox", "`sandbox`",
            "Made of Linux namespaces, for all processes of the service: hooks and `exec` probes too.",
            sandbox_fields()),
      table("reload_options", "`reload`", "The form with a command.", reload_fields()),
      table("socket", "A socket in `listen`", "The long form of an address.", socket_fields()),
      table("outputs", "`outputs`", "What a service publishes beside its probes and messages.",
            outputs_fields()),
      table("env_file_options", "`env_file`", "The long form of a file.", env_file_fields()),
  };
}

// A value may always come from a variable, so every pattern and number also admits a text with `$`.
constexpr auto types = std::to_array<ValueType>({
    {"text", "text", R"({"type": ["string", "number", "boolean"]})"},
    {"texts", "text, or a list of texts",
     R"({"anyOf": [{"$ref": "#/$defs/text"}, {"type": "array", "items": {"$ref": "#/$defs/text"}}]})"},
    {"name", "a name: letters, digits, `_`, `-`, `.`",
     R"({"type": ["string", "number"], "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$|\\$"})"},
    {"path", "a path", R"({"$ref": "#/$defs/text"})"},
    {"boolean", "`true` or `false`",
     R"({"anyOf": [{"type": "boolean"}, {"enum": ["true", "false"]}, {"$ref": "#/$defs/variable"}]})"},
    {"flag", "`true`", R"({"anyOf": [{"const": true}, {"const": "true"}, {"$ref": "#/$defs/variable"}]})"},
    {"integer", "a whole number",
     R"({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?(0|[1-9][0-9]*)$"}, {"$ref": "#/$defs/variable"}]})"},
    {"integer_or_unlimited", "a whole number or `unlimited`",
     R"({"anyOf": [{"$ref": "#/$defs/integer"}, {"const": "unlimited"}]})"},
    {"number", "a number",
     R"({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^-?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)$"}, {"$ref": "#/$defs/variable"}]})"},
    {"variable", "a text with a variable", R"({"type": "string", "pattern": "\\$"})"},
    {"duration", "a duration: `250ms`, `10s`, `1m30s`",
     R"({"anyOf": [{"type": "string", "pattern": "^(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h|d))+$|^0$|\\$"}, {"const": 0}]})"},
    {"size", "a size: `64MiB`, `1GiB`",
     R"({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+([KMGTkmgt]?([iI]?[bB])?|[KMGT]i)$|\\$"}]})"},
    {"mode", "octal digits in quotes",
     R"({"anyOf": [{"type": "string", "pattern": "^(0o)?[0-7]+$|\\$"}, {"type": "integer"}]})"},
    {"signal", "a signal: `SIGTERM`, `TERM` or its number",
     R"({"anyOf": [{"type": "string", "pattern": "^(SIG)?[A-Z0-9+-]+$|\\$"}, {"type": "integer", "minimum": 1, "maximum": 64}]})"},
    {"command", "a list of words, or a line",
     R"({"anyOf": [{"type": "string", "minLength": 1}, {"type": ["number", "boolean"]}, {"type": "array", "items": {"$ref": "#/$defs/text"}, "minItems": 1}]})"},
    {"pairs", "a mapping, or a list of KEY=VALUE",
     R"({"anyOf": [{"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/text"}, {"type": "null"}]}}, {"type": "array", "items": {"$ref": "#/$defs/text"}}]})"},
    {"secrets", "a mapping of variables to paths",
     R"({"type": "object", "additionalProperties": {"$ref": "#/$defs/text"}})"},
    {"cpus", "a CPU, a range, or a list of them",
     R"({"anyOf": [{"$ref": "#/$defs/cpu"}, {"type": "array", "items": {"$ref": "#/$defs/cpu"}, "minItems": 1}]})"},
    {"cpu", "a CPU or a range",
     R"({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 1023}, {"type": "string", "pattern": "^ *[0-9]+(-[0-9]+)?( *, *[0-9]+(-[0-9]+)?)* *$|\\$"}]})"},
    {"io_class", "`realtime`, `best-effort` or `idle`",
     R"({"anyOf": [{"enum": ["realtime", "best-effort", "idle"]}, {"$ref": "#/$defs/variable"}]})"},
    {"io_priority", "a class, or a mapping",
     R"({"anyOf": [{"$ref": "#/$defs/io_class"}, {"$ref": "#/$defs/io_priority_options"}]})"},
    {"own_directories", "a name, a list, or the long form",
     R"({"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/own_directory"}, {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/own_directory"}]}}]})"},
    {"credentials", "a mapping of names to paths",
     R"({"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/text"}, {"type": "object", "properties": {"file": {"$ref": "#/$defs/text"}}, "required": ["file"], "additionalProperties": false}]}})"},
    {"address", "`host:port`", R"({"type": "string"})"},
    {"addresses", "an address, or a list of them",
     R"({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})"},
    {"url", "an http or https URL", R"({"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://|\\$"})"},
    {"regex", "a regular expression (RE2)", R"({"$ref": "#/$defs/text"})"},
    {"port", "a port",
     R"({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"$ref": "#/$defs/variable"}, {"type": "string", "pattern": "^[1-9][0-9]{0,4}$"}]})"},
    {"probe_port", "a port, `any`, `{tcp: N}` or `{udp: N}`",
     R"({"anyOf": [{"$ref": "#/$defs/port"}, {"const": "any"}, {"type": "object", "properties": {"tcp": {"$ref": "#/$defs/port"}, "udp": {"$ref": "#/$defs/port"}}, "oneOf": [{"required": ["tcp"]}, {"required": ["udp"]}], "additionalProperties": false}]})"},
    {"ports", "a mapping of names to ports or `free`",
     R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}, "additionalProperties": {"anyOf": [{"$ref": "#/$defs/port"}, {"const": "free"}]}})"},
    {"services", "a mapping of names to services",
     R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$"}, "additionalProperties": {"$ref": "#/$defs/service"}})"},
    {"service_type", "`daemon`, `oneshot`, `external` or `gate`",
     R"({"anyOf": [{"enum": ["daemon", "oneshot", "external", "gate"]}, {"$ref": "#/$defs/variable"}]})"},
    {"condition", "a condition or the name of a bell", R"({"$ref": "#/$defs/text"})"},
    {"depends_on", "a list of services, or a mapping of services to conditions",
     R"({"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/text"}}, {"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/condition"}, {"type": "null"}, {"$ref": "#/$defs/dependency"}]}}]})"},
    {"on_loss", "`ignore`, `restart` or `stop`",
     R"({"anyOf": [{"enum": ["ignore", "restart", "stop"]}, {"$ref": "#/$defs/variable"}]})"},
    {"quorum", "`all`, `any` or a number",
     R"({"anyOf": [{"enum": ["all", "any"]}, {"type": "integer", "minimum": 1, "maximum": 100000}, {"type": "string", "pattern": "^[1-9][0-9]*$"}, {"$ref": "#/$defs/variable"}]})"},
    {"probe_or_word", "`notify`, `listen`, or a probe",
     R"({"anyOf": [{"enum": ["notify", "listen"]}, {"$ref": "#/$defs/variable"}, {"$ref": "#/$defs/probe"}]})"},
    {"probe_list", "a list of probes",
     R"({"type": "array", "items": {"$ref": "#/$defs/probe_or_word", "anyOf": [{"$ref": "#/$defs/has_a_kind"}]}, "minItems": 1})"},
    {"probes", "`notify`, a probe, a list of them (all), or `{any: [...]}`",
     R"({"anyOf": [{"$ref": "#/$defs/probe_or_word"}, {"$ref": "#/$defs/probe_list"}]})"},
    {"bells", "a mapping of names to probes",
     R"({"type": "object", "propertyNames": {"not": {"enum": ["started", "ready", "completed", "stopped"]}}, "additionalProperties": {"$ref": "#/$defs/probes"}})"},
    {"publish", "`true`, or a mapping of names to texts",
     R"({"anyOf": [{"$ref": "#/$defs/boolean"}, {"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}, "additionalProperties": {"$ref": "#/$defs/text"}}]})"},
    {"update_wait", "`ready` or `started`",
     R"({"anyOf": [{"enum": ["ready", "started"]}, {"$ref": "#/$defs/variable"}]})"},
    {"update_on_failure", "`stop` or `roll_back`",
     R"({"anyOf": [{"enum": ["stop", "roll_back"]}, {"$ref": "#/$defs/variable"}]})"},
    {"dialect", "`s6` or `dinit`", R"({"anyOf": [{"enum": ["s6", "dinit"]}, {"$ref": "#/$defs/variable"}]})"},
    {"owner", "`service` or `any`",
     R"({"anyOf": [{"enum": ["service", "any"]}, {"$ref": "#/$defs/variable"}]})"},
    {"status", "a status, a range, or a list of both",
     R"({"anyOf": [{"$ref": "#/$defs/one_status"}, {"type": "array", "items": {"$ref": "#/$defs/one_status"}}]})"},
    {"one_status", "a status or a range of them",
     R"({"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string", "pattern": "^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$|\\$"}]})"},
    {"json", "a mapping", R"({"$ref": "#/$defs/json_options"})"},
    {"json_pointer", "a JSON pointer", R"({"type": "string", "pattern": "^(/([^~]|~[01])*)?$|\\$"})"},
    {"tls", "`true`, or a mapping",
     R"({"anyOf": [{"$ref": "#/$defs/boolean"}, {"$ref": "#/$defs/tls_options"}]})"},
    {"log_probe", "a regular expression (RE2), or a mapping",
     R"({"anyOf": [{"$ref": "#/$defs/regex"}, {"$ref": "#/$defs/log_probe_options"}]})"},
    {"dns_probe", "a name, or a mapping",
     R"({"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/dns_options"}]})"},
    {"on_failure", "`restart`, `unready` or `shutdown`",
     R"({"anyOf": [{"enum": ["restart", "unready", "shutdown"]}, {"$ref": "#/$defs/variable"}]})"},
    {"recheck", "a duration, or `true` for `period`",
     R"({"anyOf": [{"$ref": "#/$defs/duration"}, {"$ref": "#/$defs/boolean"}]})"},
    {"restart_policy", "`no`, `on-failure` or `always`",
     R"({"anyOf": [{"enum": ["no", "on-failure", "always"]}, {"$ref": "#/$defs/variable"}]})"},
    {"restart", "a policy, or a mapping",
     R"({"anyOf": [{"$ref": "#/$defs/restart_policy"}, {"$ref": "#/$defs/restart_options"}]})"},
    {"restart_limit", "a number, or a number and a time: `10 per 5m`",
     R"({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]*( per .+)?$|\\$"}]})"},
    {"rlimits", "a mapping of limits to values",
     R"({"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/limit_value"}, {"type": "object", "properties": {"soft": {"$ref": "#/$defs/limit_value"}, "hard": {"$ref": "#/$defs/limit_value"}}, "required": ["soft", "hard"], "additionalProperties": false}]}})"},
    {"limit_value", "a number, a size, or `unlimited`",
     R"({"anyOf": [{"$ref": "#/$defs/size"}, {"enum": ["unlimited", "infinity"]}]})"},
    {"listen",
     "an address, a list, or a mapping of names to addresses", R"({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/socket"}, {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/socket"}]}}, {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/socket"}]}}]})"},
    {"socket_address", "`host:port`, `udp:host:port` or `unix:/path`", R"({"type": "string"})"},
    {"stdin", "`none`, `inherit`, or a path", R"({"$ref": "#/$defs/text"})"},
    {"log", "`inherit`, or a mapping",
     R"({"anyOf": [{"const": "inherit"}, {"$ref": "#/$defs/log_options"}]})"},
    {"log_socket", "`true`, `false`, or the path of a socket",
     R"({"anyOf": [{"$ref": "#/$defs/boolean"}, {"$ref": "#/$defs/text"}]})"},
    {"log_format", "`text`, `json` or `raw`",
     R"({"anyOf": [{"enum": ["text", "json", "raw"]}, {"$ref": "#/$defs/variable"}]})"},
    {"log_overflow", "`drop` or `block`",
     R"({"anyOf": [{"enum": ["drop", "block"]}, {"$ref": "#/$defs/variable"}]})"},
    {"reload", "a signal, or `{command: ...}`",
     R"({"anyOf": [{"$ref": "#/$defs/signal"}, {"$ref": "#/$defs/reload_options"}]})"},
    {"notify_access", "`main`, `exec` or `all`",
     R"({"anyOf": [{"enum": ["main", "exec", "all"]}, {"$ref": "#/$defs/variable"}]})"},
    {"schedule", "a mapping with `every` or `cron`",
     R"({"$ref": "#/$defs/schedule_options", "not": {"required": ["every", "cron"]}})"},
    {"cron", "a line of cron, or a word for one",
     R"({"type": "string", "pattern": "^ *(@[A-Za-z]+|[^ ]+( +[^ ]+){4}) *$|\\$"})"},
    {"overlap", "`skip`, `queue` or `kill`",
     R"({"anyOf": [{"enum": ["skip", "queue", "kill"]}, {"$ref": "#/$defs/variable"}]})"},
    {"exit_codes", "an exit code, or a list of them",
     R"({"anyOf": [{"$ref": "#/$defs/exit_code"}, {"type": "array", "items": {"$ref": "#/$defs/exit_code"}}]})"},
    {"exit_code", "an exit code",
     R"({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 255}, {"type": "string", "pattern": "^(0|[1-9][0-9]{0,2})$"}, {"$ref": "#/$defs/variable"}]})"},
    {"health", "`count` or `ignore`",
     R"({"anyOf": [{"enum": ["count", "ignore"]}, {"$ref": "#/$defs/variable"}]})"},
    {"env_files", "a path, a list, or the long form",
     R"({"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/env_file_options"}, {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/env_file_options"}]}}]})"},
    {"cgroups", "`auto`, `all` or `off`",
     R"({"anyOf": [{"enum": ["auto", "all", "off"]}, {"$ref": "#/$defs/variable"}]})"},
    {"on_daemon_death", "`kill` or `keep`",
     R"({"anyOf": [{"enum": ["kill", "keep"]}, {"$ref": "#/$defs/variable"}]})"},
});

}  // namespace

std::span<const Table> tables() {
  static const std::vector<Table> all = all_tables();
  return all;
}

std::span<const ValueType> value_types() { return types; }

}  // namespace belfry::config
