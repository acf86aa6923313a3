// When a unit is ready, starts again and stops; what becomes of its output.
#include <algorithm>
#include <cmath>

#include "config/import/unit_service.hpp"
#include "config/import/unit_values.hpp"

namespace belfry::config {

void UnitService::readiness(const std::string& type) {
  if (type.starts_with("notify")) ready_.emplace_back("notify: true");
  if (type == "dbus") bus();
  if (type == "forking") {
    const UnitSetting* const file = one("PIDFile");
    if (file != nullptr) {
      out_.comment("better: its option that keeps it in the foreground, and ready: {port: N}");
      ready_.push_back("file: " + yaml_text((file->value().starts_with('/') ? "" : "/run/") + filled(*file)));
    } else {
      out_.comment("decide: it goes into the background: keep it in the foreground, or add ready: {port: N}");
      left(*one("Type"), "that `Type=forking` is ready when it has forked",
           "say how belfry knows: ready: {port: N}, or keep it in the foreground");
    }
  }
  if (ready_.empty() && !sockets_.empty() && !oneshot_) ready_.emplace_back("listen: true");
  // A oneshot stays completed, which is what it asks for.
  if (is_on("RemainAfterExit") && !oneshot_)
    left(*one("RemainAfterExit"), "a daemon that has ended is not up: a oneshot stays completed");
  start_timeout();
  if (ready_.size() == 1 && ready_.front() == "notify: true") return out_.key("ready", "notify");
  out_.mapping("ready", ready_);
}

void UnitService::bus() {
  const UnitSetting* const name = one("BusName");
  if (name == nullptr) return left(*one("Type"), "the unit has no BusName=: say when it is ready");
  ready_.push_back("exec: [busctl, status, " + yaml_text(filled(*name)) + "]");
}

void UnitService::start_timeout() {
  const UnitSetting* at = one("TimeoutStartSec");
  if (at == nullptr) at = one("TimeoutSec");
  if (at == nullptr) return;
  const auto time = unit_time(at->value());
  if (!time) return left(*at, "it is a time such as 90s");
  if (time->duration.empty() || time->duration == "0s") return;  // belfry waits without end anyway
  if (ready_.empty())
    left(*at, "`" + std::string(at->key()) + "=` as a limit of the start",
         oneshot_ ? "a oneshot may take as long as it needs"
                  : "without ready it has started at once: a time belongs to a probe");
  else
    ready_.push_back("timeout: " + time->duration);
}

std::string UnitService::restart_policy(const UnitSetting& at) {
  const std::string_view policy = at.value();
  if (policy == "no") return "no";
  if (policy == "always" || policy == "on-failure") return std::string(policy);
  if (policy == "on-success") {
    left(at, "`Restart=on-success`", "belfry starts again after failures, or always");
    return "always";
  }
  if (policy == "on-abnormal" || policy == "on-abort" || policy == "on-watchdog") {
    left(at, "`Restart=" + std::string(policy) + "`", "belfry makes no difference between failures");
    return "on-failure";
  }
  left(at, "it is no, on-failure or always");
  return "no";
}

void UnitService::restart() {
  const UnitSetting* const at = one("Restart");
  const UnitSetting* const delay = one("RestartSec");
  const UnitSetting* const longest = one("RestartMaxDelaySec");
  (void)one("RestartSteps");
  std::vector<std::string> entries;
  const std::string policy = at == nullptr ? "no" : restart_policy(*at);
  restart_limit(entries);
  if (policy == "no") {
    if (at != nullptr) out_.key("restart", "no");
    return;
  }
  if (delay != nullptr) {
    const auto time = unit_time(delay->value());
    const auto most = longest == nullptr ? std::nullopt : unit_time(longest->value());
    if (!time || time->duration.empty()) {
      left(*delay, "it is a time such as 5s");
    } else {
      // systemd waits as long each time.
      const bool grows = most && !most->duration.empty() && most->seconds > time->seconds;
      if (time->seconds > 30 || grows)
        entries.insert(entries.begin(), "max_delay: " + (grows ? most->duration : time->duration));
      entries.insert(entries.begin(), "delay: " + time->duration);
      if (!grows) entries.emplace_back("factor: 1");
    }
  }
  if (entries.empty()) return out_.key("restart", policy);
  entries.insert(entries.begin(), "policy: " + policy);
  out_.mapping("restart", entries);
}

// Older units have these keys in [Service], and without `Sec`.
void UnitService::restart_limit(std::vector<std::string>& entries) {
  const UnitSetting *burst = nullptr, *interval = nullptr;
  for (const std::string_view section : {"Service", "Unit"}) {
    if (const auto* found = unit_.last(section, "StartLimitBurst")) burst = found;
    for (const std::string_view key : {"StartLimitInterval", "StartLimitIntervalSec"})
      if (const auto* found = unit_.last(section, key)) interval = found;
  }
  if (burst == nullptr && interval == nullptr) return;
  const auto count =
      burst == nullptr ? std::optional<std::int64_t>(5) : unit_number(burst->value(), 0, 1'000'000);
  const auto time = interval == nullptr ? std::optional(TimeSpan{"10s", 10}) : unit_time(interval->value());
  if (!count || !time) return left(count ? *interval : *burst, "it is a number, or a time such as 10s");
  if (*count == 0 || time->seconds == 0) return;  // no limit
  entries.push_back("limit: " + std::to_string(*count) +
                    (time->duration.empty() ? "" : " per " + time->duration));
}

void UnitService::exit_codes() {
  std::vector<std::string> codes;
  for (const UnitSetting* const at : every("SuccessExitStatus"))
    for (const std::string& word : unit_words(at->value())) {
      const auto code = unit_exit_code(word);
      if (!code)
        left(*at, "`" + word.substr(0, 60) + "` in `SuccessExitStatus=`",
             unit_signal(word) ? "an end by a signal that nobody sent is a failure" : "it is an exit code");
      else if (codes.size() < 256 && std::ranges::find(codes, std::to_string(*code)) == codes.end())
        codes.push_back(std::to_string(*code));
    }
  if (codes.empty()) return;
  std::string list = "[";
  for (const std::string& code : codes) list += (list.size() == 1 ? "" : ", ") + code;
  out_.key("success_exit_codes", list + "]");
}

void UnitService::stop() {
  std::vector<std::string> entries;
  if (const UnitSetting* const at = one("KillSignal")) {
    if (const auto signal = unit_signal(at->value()))
      stop_signal_ = *signal;
    else
      left(*at, "it is the name of a signal");
  }
  if (!stop_signal_.empty() && stop_signal_ != "SIGTERM")
    entries.push_back("signal: " + yaml_text(stop_signal_));
  const UnitSetting* at = one("TimeoutStopSec");
  if (at == nullptr) at = one("TimeoutSec");
  if (at != nullptr) {
    const auto time = unit_time(at->value());
    if (!time)
      left(*at, "it is a time such as 90s");
    else if (time->duration.empty() || time->duration == "0s")
      left(*at, "`" + std::string(at->key()) + "` without an end", "a stop of belfry always has one");
    else
      entries.push_back("timeout: " + time->duration);
  }
  out_.mapping("stop", entries);
  const UnitSetting* const mode = one("KillMode");
  if (mode != nullptr && mode->value() != "control-group" && mode->value() != "mixed")
    left(*mode, "`KillMode=" + std::string(mode->value().substr(0, 60)) + "`",
         "what is left of the process tree is always killed");
}

void UnitService::messages() {
  if (const UnitSetting* const at = one("WatchdogSec")) {
    const auto time = unit_time(at->value());
    if (oneshot_ || !time)
      left(*at, oneshot_ ? "a oneshot says nothing at intervals" : "it is a time such as 30s");
    else if (time->seconds > 0 && !time->duration.empty())
      out_.key("watchdog", time->duration);
  }
  if (const UnitSetting* const at = one("NotifyAccess")) {
    const std::string_view whose = at->value();
    if (whose == "main" || whose == "exec" || whose == "all")
      out_.key("notify_access", std::string(whose));
    else if (whose != "none")
      left(*at, "it is main, exec or all");
  }
  if (const UnitSetting* const at = one("FileDescriptorStoreMax")) {
    const auto count = unit_number(at->value(), 0, 1000);
    if (oneshot_ || !count)
      left(*at, oneshot_ ? "only a daemon has one" : "it is a number up to 1000");
    else
      out_.key("fd_store", std::to_string(*count));
  }
}

void UnitService::output() {
  const UnitSetting* const at = one("StandardOutput");
  const UnitSetting* const errors = one("StandardError");
  const bool same = at != nullptr && errors != nullptr && at->value() == errors->value();
  if (errors != nullptr && !same && errors->value() != "inherit" && errors->value() != "journal")
    left(*errors, "both outputs go to one log: format: json tells them apart");
  if (at == nullptr) return;
  const std::string_view to = at->value();
  const auto colon = to.find(':');
  const std::string_view kind = to.substr(0, colon),
                         path = colon == std::string_view::npos ? "" : to.substr(colon + 1);
  if (to == "null") return out_.mapping("log", {"stdout: false"});
  if (to == "syslog") return out_.mapping("log", {"syslog: true"});
  if (to == "journal" || to == "inherit") return;  // belfry's own output is the journal where it is a unit
  const bool file = (kind == "file" || kind == "append" || kind == "truncate") && path.starts_with('/');
  if (!file) return left(*at, "belfry has a file, the journal, syslog, or its own output");
  out_.mapping("log", {"file: " + yaml_text(filled(*at, path))});
  if (kind == "truncate")
    left(*at, "that `truncate:` empties the file", "belfry appends; max_size begins a new one");
}

void UnitService::input() {
  const UnitSetting* const at = one("StandardInput");
  if (at == nullptr || at->value() == "null") return;
  if (at->value().starts_with("file:/"))
    return out_.key("stdin", yaml_text(filled(*at, at->value().substr(5))));
  if (at->value().starts_with("tty")) return out_.key("tty", "true");
  left(*at, "it is a file, or /dev/null");
}

}  // namespace belfry::config
