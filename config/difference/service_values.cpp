// The keys of a service.
#include <algorithm>
#include <array>

#include "config/difference/values.hpp"
#include "config/document/confidential.hpp"
#include "config/model/duration.hpp"
#include "config/model/enum_names.hpp"
#include "config/model/kernel_names.hpp"

namespace belfry::config {

namespace {

void add(Values& out, std::string_view key, std::string text) {
  if (!text.empty()) out.push_back({.key = std::string(key), .text = std::move(text)});
}

void add_flag(Values& out, std::string_view key, bool value) {
  if (value) add(out, key, "true");
}

template <class Optional>
void add_number(Values& out, std::string_view key, const Optional& number) {
  if (number) add(out, key, std::to_string(*number));
}

void add_text(Values& out, std::string_view key, std::string_view text) {
  if (!text.empty()) add(out, key, quoted(text));
}

void add_texts(Values& out, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty()) add(out, key, list_of(texts));
}

// The value may be a password whose name says so, or has one in it.
void add_variable(Values& out, std::string_view table, const std::string& name, const std::string& value) {
  const bool secret = masked(name + "=" + value) != name + "=" + value;
  out.push_back({.key = std::string(table) + "." + name, .text = quoted(value), .secret = secret});
}

void read_command(const Service& s, Values& out) { add_texts(out, "command", s.command); }

void read_edges(const Service& s, Values& out) {
  for (const Dependency& edge : s.depends_on) add(out, "depends_on." + edge.service, text_of(edge));
}

void read_ready(const Service& s, Values& out) {
  add(out, "ready", text_of(s.ready));
  read_tuning("ready", s.ready, out);
}

void read_live(const Service& s, Values& out) {
  if (!s.live) return;
  add(out, "live", text_of(*s.live));
  read_tuning("live", *s.live, out);
}

void read_bells(const Service& s, Values& out) {
  for (const OwnBell& bell : s.extras->bells) {
    add(out, "bells." + bell.name, text_of(bell.probes));
    read_tuning("bells." + bell.name, bell.probes, out);
  }
}

void read_restart(const Service& s, Values& out) {
  const Restart& restart = *s.restart;
  add(out, "restart.policy",
      restart.policy == RestartPolicy::no           ? "no"
      : restart.policy == RestartPolicy::on_failure ? "on-failure"
                                                    : "always");
  add(out, "restart.delay", to_string(restart.delay));
  add(out, "restart.max_delay", to_string(restart.max_delay));
  add(out, "restart.factor", std::to_string(restart.factor));
  add(out, "restart.jitter", std::to_string(restart.jitter));
  add(out, "restart.reset_after", to_string(restart.reset_after));
  if (restart.limit == 0) return;
  add(out, "restart.limit",
      std::to_string(restart.limit) +
          (restart.limit_window > Duration::zero() ? " per " + to_string(restart.limit_window) : ""));
}

void read_schedule(const Service& s, Values& out) {
  if (!s.extras->schedule) return;
  const Schedule& schedule = *s.extras->schedule;
  if (schedule.every > Duration::zero()) add(out, "schedule.every", to_string(schedule.every));
  add_text(out, "schedule.cron", schedule.cron);
  if (!schedule.cron.empty()) add_text(out, "schedule.time_zone", schedule.time_zone);
  if (schedule.jitter > Duration::zero()) add(out, "schedule.jitter", to_string(schedule.jitter));
  add(out, "schedule.overlap", std::string(name_of(schedule.overlap)));
  add_flag(out, "schedule.at_start", schedule.at_start);
}

void read_stop(const Service& s, Values& out) {
  const std::string_view signal = signal_name(s.stop.signal);
  add(out, "stop.signal", signal.empty() ? std::to_string(s.stop.signal) : std::string(signal));
  add(out, "stop.timeout", to_string(s.stop.timeout));
}

void read_environment(const Service& s, Values& out) {
  for (const auto& [name, value] : s.environment) add_variable(out, "environment", name, value);
  if (!s.extras) return;
  for (const auto& [name, value] : s.extras->late_environment) add_variable(out, "environment", name, value);
}

void read_secrets(const Service& s, Values& out) {
  for (const Secret& secret : s.extras->secrets)
    out.push_back({.key = "secrets." + secret.variable, .text = quoted(secret.value), .secret = true});
}

void read_credentials(const Service& s, Values& out) {
  for (const Credential& one : s.extras->credentials)
    out.push_back({.key = "credentials." + one.name, .text = quoted(one.value), .secret = true});
}

void read_outputs(const Service& s, Values& out) {
  add_text(out, "outputs.file", s.extras->outputs.file);
  add_texts(out, "outputs.secret", s.extras->outputs.secret);
}

void read_publication(const Service& s, Values& out) {
  if (!s.extras->publish) return;
  add(out, "publish", "true");
  for (const auto& [key, value] : s.extras->publish->outputs) add_variable(out, "publish", key, value);
}

void read_update(const Service& s, Values& out) {
  if (!s.extras->update) return;
  const Update& update = *s.extras->update;
  add(out, "update", "true");
  if (update.parallel != 1) add(out, "update.parallel", std::to_string(update.parallel));
  if (update.wait != Condition::ready) add(out, "update.wait", "started");
  if (update.on_failure != Update::OnFailure::stop) add(out, "update.on_failure", "roll_back");
  if (update.max_unavailable != 0) add(out, "update.max_unavailable", std::to_string(update.max_unavailable));
  add_texts(out, "update.hosts", update.hosts);
}

void read_rlimits(const Service& s, Values& out) {
  for (const ResourceLimit& limit : s.extras->rlimits) {
    const auto names = limit_names();
    const auto known = std::ranges::find_if(
        names, [&](std::string_view name) { return limit_number(name) == limit.resource; });
    add(out, "rlimits." + (known == names.end() ? std::to_string(limit.resource) : std::string(*known)),
        std::to_string(limit.soft) + ", " + std::to_string(limit.hard));
  }
}

void read_cgroup(const Service& s, Values& out) {
  if (!s.extras->cgroup) return;
  add_number(out, "cgroup.memory_max", s.extras->cgroup->memory_max);
  add_number(out, "cgroup.cpu_max", s.extras->cgroup->cpu_max);
  add_number(out, "cgroup.pids_max", s.extras->cgroup->pids_max);
}

void read_capabilities(const Service& s, Values& out) {
  if (!s.extras->capabilities) return;
  const auto names = [](std::uint64_t set) {
    std::vector<std::string> all;
    for (int number = 0; number < 64; ++number)
      if ((set >> number & 1U) != 0) all.push_back(capability_name(number));
    return list_of(all);
  };
  add(out, "capabilities.drop", names(s.extras->capabilities->dropped));
  add(out, "capabilities.ambient", names(s.extras->capabilities->ambient));
}

void read_io_priority(const Service& s, Values& out) {
  if (!s.extras->io_priority) return;
  add(out, "io_priority",
      std::to_string(static_cast<unsigned>(s.extras->io_priority->of)) + "/" +
          std::to_string(s.extras->io_priority->level));
}

void add_directories(Values& out, std::string_view key, const std::vector<OwnDirectory>& all) {
  for (const OwnDirectory& one : all)
    add(out, std::string(key) + "." + one.name, "mode " + std::to_string(one.mode));
}

void read_sandbox(const Service& s, Values& out) {
  if (!s.extras->sandbox) return;
  const Sandbox& sandbox = *s.extras->sandbox;
  add_flag(out, "sandbox.read_only_root", sandbox.read_only_root);
  add_flag(out, "sandbox.private_tmp", sandbox.private_tmp);
  add_flag(out, "sandbox.private_network", sandbox.private_network);
  add_flag(out, "sandbox.protect_home", sandbox.protect_home);
  add_flag(out, "sandbox.required", sandbox.required);
  add_texts(out, "sandbox.writable", sandbox.writable);
}

// The first one is descriptor 3 of the service.
void read_listen(const Service& s, Values& out) {
  int descriptor = 3;
  for (const ListenSocket& socket : s.extras->listen)
    add(out, "listen." + socket.name, "fd " + std::to_string(descriptor++) + " " + text_of(socket));
}

void read_cpus(const Service& s, Values& out) {
  std::string cpus;
  for (const std::uint16_t cpu : s.extras->cpu_affinity)
    cpus.append(cpus.empty() ? "" : ", ").append(std::to_string(cpu));
  add(out, "cpu_affinity", std::move(cpus));
}

void read_reload(const Service& s, Values& out) {
  add_number(out, "reload.signal", s.extras->reload_signal);
  add_texts(out, "reload.command", s.extras->reload_command);
}

void read_exit_codes(const Service& s, Values& out) {
  std::string codes;
  for (const int code : s.extras->success_exit_codes)
    codes.append(codes.empty() ? "" : ", ").append(std::to_string(code));
  add(out, "success_exit_codes", std::move(codes));
}

void read_profiles(const Service& s, Values& out) {
  if (s.extras) add_texts(out, "profiles", s.extras->profiles);
  if (!s.enabled) add(out, "profiles.enabled", "false");
}

void read_access(const Service& s, Values& out) {
  if (s.extras->notify_access != NotifyAccess::all)
    add(out, "notify_access", s.extras->notify_access == NotifyAccess::main ? "main" : "exec");
}

constexpr bool extras = true;

constexpr auto rows = std::to_array<ServiceRow>({
    {"type",
     [](const Service& s, Values& out) {
       add(out, "type", std::string(name_of(s.type)));
       if (s.replicated) add(out, "replicas", "a gate of its replicas");
     }},
    {"command", read_command},
    {"depends_on", read_edges},
    {"ready", read_ready},
    {"live", read_live},
    {"bells", read_bells, extras},
    {"require",
     [](const Service& s, Values& out) {
       if (s.require.count != 0) add(out, "require", std::to_string(s.require.count));
     }},
    {"restart", read_restart},
    {"schedule", read_schedule, extras},
    {"stop", read_stop},
    {"environment", read_environment},
    {"clean_environment",
     [](const Service& s, Values& out) { add_flag(out, "clean_environment", s.clean_environment); }},
    {"secrets", read_secrets, extras},
    {"outputs", read_outputs, extras},
    {"publish", read_publication, extras},
    {"update", read_update, extras},
    {"working_dir",
     [](const Service& s, Values& out) { add_text(out, "working_dir", s.working_dir.str()); }},
    {"user", [](const Service& s, Values& out) { add_text(out, "user", *s.user); }},
    {"group", [](const Service& s, Values& out) { add_text(out, "group", s.extras->group); }, extras},
    {"umask", [](const Service& s, Values& out) { add_number(out, "umask", s.extras->umask); }, extras},
    {"nice", [](const Service& s, Values& out) { add_number(out, "nice", s.extras->nice); }, extras},
    {"oom_score_adj",
     [](const Service& s, Values& out) { add_number(out, "oom_score_adj", s.extras->oom_score_adj); }, extras},
    {"rlimits", read_rlimits, extras},
    {"cgroup", read_cgroup, extras},
    {"no_new_privileges",
     [](const Service& s, Values& out) { add_flag(out, "no_new_privileges", s.extras->no_new_privileges); },
     extras},
    {"supplementary_groups",
     [](const Service& s, Values& out) {
       add_texts(out, "supplementary_groups", s.extras->supplementary_groups);
     },
     extras},
    {"capabilities", read_capabilities, extras},
    {"cpu_affinity", read_cpus, extras},
    {"io_priority", read_io_priority, extras},
    {"runtime_directory",
     [](const Service& s, Values& out) {
       add_directories(out, "runtime_directory", s.extras->runtime_directories);
     },
     extras},
    {"state_directory",
     [](const Service& s, Values& out) {
       add_directories(out, "state_directory", s.extras->state_directories);
     },
     extras},
    {"sandbox", read_sandbox, extras},
    {"credentials", read_credentials, extras},
    {"environment_from",
     [](const Service& s, Values& out) {
       if (s.extras->environment_from) add(out, "environment_from", list_of(*s.extras->environment_from));
     },
     extras},
    {"isolate", [](const Service& s, Values& out) { add_flag(out, "isolate", s.extras->isolate); }, extras},
    {"listen", read_listen, extras},
    {"stdin", [](const Service& s, Values& out) { add_text(out, "stdin", s.extras->standard_input); }, extras},
    {"tty", [](const Service& s, Values& out) { add_flag(out, "tty", s.extras->tty); }, extras},
    {"log", [](const Service& s, Values& out) { add(out, "log", text_of(s.extras->log)); }, extras},
    {"pre_start", [](const Service& s, Values& out) { add_texts(out, "pre_start", s.extras->pre_start); },
     extras},
    {"post_start", [](const Service& s, Values& out) { add_texts(out, "post_start", s.extras->post_start); },
     extras},
    {"pre_stop", [](const Service& s, Values& out) { add_texts(out, "pre_stop", s.extras->pre_stop); },
     extras},
    {"post_stop", [](const Service& s, Values& out) { add_texts(out, "post_stop", s.extras->post_stop); },
     extras},
    {"reload", read_reload, extras},
    {"watchdog",
     [](const Service& s, Values& out) {
       if (s.extras->watchdog) add(out, "watchdog", to_string(*s.extras->watchdog));
     },
     extras},
    {"notify_access", read_access, extras},
    {"fd_store",
     [](const Service& s, Values& out) {
       if (s.extras->fd_store > 0) add(out, "fd_store", std::to_string(s.extras->fd_store));
     },
     extras},
    {"essential", [](const Service& s, Values& out) { add_flag(out, "essential", s.essential); }},
    {"main", [](const Service& s, Values& out) { add_flag(out, "main", s.main); }},
    {"success_exit_codes", read_exit_codes, extras},
    {"health",
     [](const Service& s, Values& out) {
       if (s.extras->health_ignore) add(out, "health", "ignore");
     },
     extras},
    {"profiles", read_profiles},
    {"labels",
     [](const Service& s, Values& out) {
       for (const auto& [name, value] : s.extras->labels) add_variable(out, "labels", name, value);
     },
     extras},
    {"description",
     [](const Service& s, Values& out) { add_text(out, "description", s.extras->description); }, extras},
});

}  // namespace

std::span<const ServiceRow> service_rows() { return rows; }

}  // namespace belfry::config
