// Every key of a service, in the order the reference page shows them.
#include <algorithm>
#include <array>

#include "config/decode/decode.hpp"
#include "config/model/enum_names.hpp"

namespace belfry::config {
namespace {

void read_restart(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  draft.restart_written = true;
  if (entry.value->is_mapping()) {
    decoder.mapping(*entry.value, "`restart`", restart_fields(), *draft.service.restart);
    const Restart& restart = *draft.service.restart;
    if (restart.max_delay < restart.delay && entry.value->find("max_delay") != nullptr)
      decoder.error("bad-value", *entry.value->find("max_delay"), "`max_delay` is shorter than `delay`",
                    "make it at least " + to_string(restart.delay));
    return;
  }
  if (!entry.value->is_scalar())
    return decoder.mismatch(*entry.value, "a policy or a mapping",
                            "write no, on-failure, always, or {policy: on-failure, delay: 1s}");
  const Entry policy{entry.key, entry.value};
  restart_fields().front().read(decoder, policy, *draft.service.restart);
}

void read_user(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  auto user = decoder.free_text(*entry.value);
  if (!user) return;
  const auto colon = user->find(':');
  if (user->empty() || colon == 0 || colon == user->size() - 1)
    return decoder.error("bad-value", *entry.value, "`" + *user + "` is not a user",
                         "write a name or a number, optionally with a group: postgres:postgres");
  if (colon != std::string::npos) extras_of(draft.service).group = user->substr(colon + 1);
  draft.service.user = user->substr(0, colon);
}

void read_bells(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  if (!decoder.expect_mapping(*entry.value, "`bells`")) return;
  for (const Entry& bell : entry.value->entries()) {
    if (!check_name(decoder, *bell.key, "a bell")) continue;
    if (condition_spelled(bell.key->text())) {
      decoder.error("bad-name", *bell.key,
                    "a bell cannot be named `" + std::string(bell.key->text()) + "`: that is a condition",
                    "choose another name");
      continue;
    }
    extras_of(draft.service)
        .bells.push_back({std::string(bell.key->text()), decode_probes(decoder, *bell.value, "a bell")});
  }
}

void read_reload(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  ServiceExtras& extras = extras_of(draft.service);
  if (entry.value->is_mapping()) {
    decoder.mapping(*entry.value, "`reload`", reload_fields(), extras);
    if (entry.value->find("command") == nullptr)
      decoder.error("missing-key", *entry.value, "`reload` needs a signal or a `command`",
                    "write reload: SIGHUP, or reload: {command: [...]}");
  } else if (auto number = decoder.signal(*entry.value)) {
    extras.reload_signal = number;
  }
}

// What only a file that is rotated has.
void check_rotation(Decoder& decoder, const Entry& entry, const Log& log) {
  const bool rotates = log.max_size > 0 || log.max_files > 0 || log.max_age > Duration(0) || log.compress;
  if (log.file.empty() && rotates)
    return decoder.error("missing-key", *entry.key, "rotation needs a `file`", "add file: PATH");
  if (!log.file.empty() && rotates && log.max_size == 0 && entry.value->find("max_size") == nullptr)
    decoder.error("missing-key", *entry.key, "rotation needs a `max_size`", "add max_size: 10MiB");
}

void read_log(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  Log& log = extras_of(draft.service).log;
  if (entry.value->is_scalar()) {
    if (entry.value->text() != "inherit")
      return decoder.error("bad-value", *entry.value,
                           "`" + std::string(entry.value->text()) + "` is not known here",
                           "write log: inherit, or log: {file: PATH}");
    log.inherit = true;
    return;
  }
  if (!decoder.mapping(*entry.value, "`log`", log_fields(), log)) return;
  const bool goes_elsewhere = !log.file.empty() || !log.journald.empty() || !log.syslog.empty();
  if (goes_elsewhere && entry.value->find("stdout") == nullptr) log.to_stdout = false;
  check_rotation(decoder, entry, log);
  if (log.max_size > 0 && log.max_files == 0) log.max_files = 5;
  if (log.timestamps && log.format != LogFormat::text)
    decoder.error(
        "contradiction", *entry.value->find("timestamps"),
        log.format == LogFormat::raw ? "`raw` lines have no timestamps" : "`json` has the time anyway",
        "remove `timestamps`, or write format: text");
}

void read_stdin(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  auto path = decoder.needed_text(*entry.value, "write none, inherit, or a file");
  if (!path || *path == "none") return;
  extras_of(draft.service).standard_input =
      *path == "inherit" ? *path : decoder.absolute(*path, draft.service.working_dir);
}

void read_exit_codes(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  const auto one = [&](const Node& node) {
    if (auto code = decoder.integer(node, 0, 255))
      extras_of(draft.service).success_exit_codes.push_back(static_cast<int>(*code));
  };
  if (entry.value->is_scalar()) return one(*entry.value);
  if (!entry.value->is_sequence()) return decoder.mismatch(*entry.value, "an exit code or a list of them");
  for (const Node* item : entry.value->items()) one(*item);
}

template <Command ServiceExtras::* hook>
void read_hook(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  extras_of(draft.service).*hook = decoder.command(*entry.value);
}

template <bool ServiceExtras::* flag>
void read_flag(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  if (auto value = decoder.boolean(*entry.value)) extras_of(draft.service).*flag = *value;
}

template <bool Service::* flag>
void read_own_flag(Decoder& decoder, const Entry& entry, ServiceDraft& draft) {
  if (auto value = decoder.boolean(*entry.value)) draft.service.*flag = *value;
}

// Read before the others: the readers of the other keys need what these say.
void read_elsewhere(Decoder&, const Entry&, ServiceDraft&) {}

constexpr std::array<std::pair<std::string_view, NotifyAccess>, 3> accesses{
    {{"main", NotifyAccess::main}, {"exec", NotifyAccess::exec}, {"all", NotifyAccess::all}}};
constexpr std::array<std::pair<std::string_view, bool>, 2> healths{{{"ignore", true}, {"count", false}}};

constexpr std::array<Field<ServiceDraft>, 48> service_table{{
    {{"type", "service_type", "daemon",
      "`daemon`: runs on, in the background too if it has `ready`. `oneshot`: must exit with 0. `external`: "
      "run by somebody else, known by its probe "
      "only. `gate`: a milestone, made of its dependencies.",
      "oneshot"},
     read_elsewhere},
    {may_refer({"command", "command", "needed",
                "A list is the program and its arguments. A text is split into words as a shell would, but "
                "no shell "
                "runs.",
                "[./api, --port, \"8080\"]", fits_process}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) { out.service.command = d.command(*e.value); }},
    {in_place({"depends_on", "depends_on", "nothing",
               "Services that come first: a list of names, or a mapping of names to conditions.",
               "{db: ready, migrate: completed}"}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_dependencies(d, *e.value, out); }},
    {{"ready", "probes", "ready when started; a oneshot: when completed",
      "How belfry knows that the service is ready. A list: all of the probes; `any: [...]`: one of them.",
      "{port: 8080}", fits_probed},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       out.service.ready = decode_probes(d, *e.value, "`ready`");
     }},
    {in_place(
         {"live", "probes", "none",
          "A probe that goes on; when it fails `failure_threshold` times in a row, the service is restarted.",
          "{http: \"http://127.0.0.1:8080/health\", period: 10s}", fits_daemon}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       out.service.live = std::make_unique<ProbeSet>(decode_probes(d, *e.value, "`live`"));
     }},
    {{"bells", "bells", "none",
      "More milestones of a run, by name, each with a probe; `depends_on: {api: booted}` waits for one.",
      "{booted: {log: listening}}", fits_probed},
     read_bells},
    {in_place({"require", "quorum", "all",
               "How many of a gate's dependencies must hold: `all`, `any` or a number.", "2", fits_gate}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       out.service.require = read_quorum(d, *e.value).value_or(Quorum{});
     }},
    {in_place({"restart", "restart", "on-failure; oneshot: no",
               "When to start again: a policy, or a mapping with the back-off.",
               "{policy: on-failure, delay: 1s, limit: 10 per 5m}", fits_process}),
     read_restart},
    {in_place({"schedule", "schedule", "none: it runs when the stack starts",
               "When the oneshot runs by itself: `every` so often, or by a line of `cron`. `/readyz` does "
               "not wait "
               "for it, unless `health: count` is written.",
               "{cron: \"0 3 * * *\", time_zone: Europe/Zurich}", fits_oneshot}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_schedule(d, *e.value, out); }},
    {in_place({"stop", "stop", "SIGTERM, 10s", "How the service is asked to stop, and for how long.",
               "{signal: SIGINT, timeout: 20s}", fits_process}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       d.mapping(*e.value, "`stop`", stop_fields(), out.service.stop);
     }},
    {may_refer(
         or_nothing({"environment", "pairs", "belfry's own",
                     "Variables added to belfry's own environment: a mapping, or a list of KEY=VALUE. A key "
                     "without value "
                     "takes it from belfry's.",
                     "{PORT: \"8080\"}", fits_process})),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       out.service.environment = d.pairs(*e.value, "`environment`");
     }},
    {{"env_file", "env_files", "none", "Files of KEY=VALUE lines, read before `environment`, which wins.",
      "app.env", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_env_files(d, *e.value, out); }},
    {{"clean_environment", "boolean", "false", "Start from an empty environment instead of belfry's own.",
      "true", fits_process},
     read_own_flag<&Service::clean_environment>},
    {{"secrets", "secrets", "none", "Variables whose values are read from files and never shown.",
      "{PGPASSWORD: secrets/pg}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_secrets(d, *e.value, out); }},
    {{"outputs", "outputs", "what its probes and messages publish",
      "What its bells carry beside that, for `${NAME.KEY}` in other services; and which of it is secret.",
      "{file: run/outputs, secret: [PASSWORD]}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_outputs(d, *e.value, out); }},
    {{"publish", "publish", "nobody else is told",
      "Other hosts are told while it is ready here, for their `cluster` probes: its outputs, and these "
      "values.",
      "{address: \"${HOST_IP}:9092\"}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_publish(d, *e.value, out); }},
    {in_place({"update", "update", "it stops, and starts again",
               "How it is replaced by a newer one of itself, by a restart or a reload.",
               "{max_unavailable: 1}", fits_process}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_update(d, *e.value, out); }},
    {{"working_dir", "path", "the file's directory",
      "Where the service runs; relative paths of its other keys count from here.", "/srv/api", fits_probed},
     read_elsewhere},
    {{"user", "text", "belfry's",
      "The user it runs as: a name or number, optionally with a group: `user:group`. Sets HOME, USER, "
      "LOGNAME, SHELL.",
      "postgres", fits_process},
     read_user},
    {{"group", "text", "the user's", "The group it runs as.", "postgres", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       extras_of(out.service).group =
           d.needed_text(*e.value, "write a group, or remove the key for the user's own").value_or("");
     }},
    {{"umask", "mode", "belfry's", "The file mode mask, octal.", "\"027\"", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       extras_of(out.service).umask = d.octal(*e.value, 0777);
     }},
    {{"nice", "integer", "belfry's", "Scheduling priority, -20 (first) to 19 (last).", "5", fits_process,
      "-20", "19"},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       if (auto value = d.integer(*e.value, -20, 19)) extras_of(out.service).nice = static_cast<int>(*value);
     }},
    {{"oom_score_adj", "integer", "belfry's",
      "Who is killed first when memory runs out, -1000 (never) to 1000.", "-500", fits_process, "-1000",
      "1000"},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       if (auto value = d.integer(*e.value, -1000, 1000))
         extras_of(out.service).oom_score_adj = static_cast<int>(*value);
     }},
    {or_nothing({"rlimits", "rlimits", "belfry's",
                 "Process limits by their names in setrlimit(2): one value, or soft and hard.",
                 "{nofile: 4096, core: unlimited}", fits_process}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       decode_rlimits(d, *e.value, extras_of(out.service));
     }},
    {{"cgroup", "cgroup", "none", "Limits on the whole process tree, where a cgroup v2 is writable.",
      "{memory_max: 512MiB, cpu_max: 1.5}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       d.mapping(*e.value, "`cgroup`", cgroup_fields(), extras_of(out.service).cgroup.emplace());
     }},
    {{"no_new_privileges", "boolean", "false",
      "Neither the service nor its children can gain privileges by exec (set-user-id programs do not work).",
      "true", fits_process},
     read_flag<&ServiceExtras::no_new_privileges>},
    {{"isolate", "boolean", "false",
      "Know every process of the service, also one that daemonises and leaves no trace: by a cgroup of its "
      "own, or "
      "where there can be none by a shim process above it.",
      "true", fits_process},
     read_flag<&ServiceExtras::isolate>},
    {may_refer(
         {"listen", "listen", "none",
          "Sockets that belfry binds and passes on (socket activation): an address, a list, or a mapping of "
          "names to addresses.",
          "\"127.0.0.1:8080\"", fits_daemon}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_listen(d, *e.value, out); }},
    {{"stdin", "stdin", "none", "Standard input: `none` (/dev/null), `inherit`, or a file.", "inherit",
      fits_process},
     read_stdin},
    {{"tty", "boolean", "false",
      "Run on a terminal of its own, of 80 columns and 24 lines; what it writes is logged.", "true",
      fits_process},
     read_flag<&ServiceExtras::tty>},
    {{"log", "log", "to belfry's output",
      "What becomes of its output; `inherit` passes belfry's own descriptors.",
      "{file: log/api.log, max_size: 10MiB}", fits_process},
     read_log},
    {may_refer(in_place({"pre_start", "command", "none",
                         "Run before the service, as its user; the service starts when it has exited with 0.",
                         "[./prepare]", fits_process})),
     read_hook<&ServiceExtras::pre_start>},
    {may_refer(in_place({"post_start", "command", "none", "Run after the service has started.",
                         "[./announce]", fits_process})),
     read_hook<&ServiceExtras::post_start>},
    {may_refer(in_place({"pre_stop", "command", "none", "Run before the service is asked to stop.",
                         "[./drain]", fits_process})),
     read_hook<&ServiceExtras::pre_stop>},
    {may_refer(in_place({"post_stop", "command", "none",
                         "Run after the service has stopped, with as much time again as `stop.timeout`.",
                         "[./clean]", fits_process})),
     read_hook<&ServiceExtras::post_stop>},
    {in_place({"reload", "reload", "none",
               "What `belfry reload SERVICE` does: a signal, or `{command: ...}`.", "SIGHUP", fits_daemon}),
     read_reload},
    {{"watchdog", "duration", "none",
      "The service must say WATCHDOG=1 at least this often once it is ready, else it is aborted and "
      "restarted.",
      "30s", fits_daemon},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       if (auto value = d.duration(*e.value)) {
         if (*value == Duration(0))
           d.error("bad-value", *e.value, "a watchdog of 0 would expire at once", "remove it, or write 30s");
         extras_of(out.service).watchdog = *value;
       }
     }},
    {{"notify_access", "notify_access", "all",
      "Whose messages on the notify socket count: those of the `main` process, also of hooks "
      "(`exec`), or of "
      "`all` processes of the service.",
      "main", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       extras_of(out.service).notify_access =
           d.choice<NotifyAccess>(*e.value, accesses).value_or(NotifyAccess::all);
     }},
    {{"fd_store", "integer", "0",
      "How many descriptors belfry keeps for the service across restarts (FDSTORE=1).", "4", fits_daemon, "0",
      "1024"},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       extras_of(out.service).fd_store = static_cast<std::uint32_t>(d.integer(*e.value, 0, 1024).value_or(0));
     }},
    {in_place({"essential", "boolean", "false",
               "When it has failed for good, the whole stack goes down with exit code 69.", "true"}),
     read_own_flag<&Service::essential>},
    {refused_by_reload(
         {"main", "boolean", "false",
          "Its exit takes the stack down, with its exit code. At most one; implies `restart: no`.", "true",
          fits_process}),
     read_own_flag<&Service::main>},
    {in_place({"success_exit_codes", "exit_codes", "[0]", "Exit codes that count as success, beside 0.",
               "[0, 143]", fits_process}),
     read_exit_codes},
    {in_place({"health", "health", "count; with `schedule`: ignore",
               "`ignore`: `/readyz` does not wait for this service.", "ignore"}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       const auto ignore = d.choice<bool>(*e.value, healths);
       if (ignore && *ignore) extras_of(out.service).health_ignore = true;
     }},
    {in_place({"profiles", "texts", "always enabled",
               "The service is enabled only when one of these profiles is active, or when it is asked for by "
               "name.",
               "[debug]"}),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       auto names = d.texts(*e.value);
       if (!names.empty()) extras_of(out.service).profiles = std::move(names);
     }},
    {{"replicas", "integer", "1, under its own name",
      "So many copies, named `api-1`, `api-2`, …, each with its number in `${REPLICA}`. The bare name "
      "becomes a gate of all of them.",
      "3", fits_process, "1", "10000"},
     read_elsewhere},
    {{"extends", "name", "nothing",
      "Take over the keys of another service; mappings merge key by key, lists replace.", "base"},
     read_elsewhere},
    {or_nothing(in_place({"labels", "pairs", "none",
                          "Notes for tools that read the file; belfry does nothing with them.",
                          "{team: payments}"})),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       auto labels = d.pairs(*e.value, "`labels`");
       if (!labels.empty()) extras_of(out.service).labels = std::move(labels);
     }},
    {or_nothing(in_place({"description", "text", "none",
                          "A sentence for people who read the file; belfry does nothing with it.",
                          "\"takes orders\""})),
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       if (auto value = d.free_text(*e.value)) extras_of(out.service).description = std::move(*value);
     }},
}};

}  // namespace

Fields<ServiceDraft> service_fields() {
  static const std::vector<Field<ServiceDraft>> all = [] {
    std::vector<Field<ServiceDraft>> joined(service_table.begin(), service_table.end());
    const auto before =
        std::ranges::find(joined, "isolate", [](const auto& field) { return field.key.name; });
    const Fields<ServiceDraft> more = confinement_fields();
    joined.insert(before, more.begin(), more.end());
    return joined;
  }();
  return all;
}

}  // namespace belfry::config
