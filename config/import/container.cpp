// What Quadlet makes of its files, as podman commands that stay in the foreground: belfry runs no images, and
// podman does.
#include <algorithm>
#include <array>
#include <filesystem>

#include "config/import/unit_service.hpp"
#include "config/import/unit_values.hpp"

namespace belfry::config {
namespace {

// How the values of a key are written for podman.
enum class Form : std::uint8_t {
  whole,     // one option with the value as it is
  words,     // one option for each word of it
  on,        // the option, if it is true
  boolean,   // --option=true or false
  security,  // --security-opt NAME=VALUE
  label      // --security-opt label=NAME:VALUE
};
struct Row {
  std::string_view key, option;
  Form form;
};

// podman-systemd.unit(5), podman-run(1).
constexpr auto container_rows = std::to_array<Row>({
    {"Pull", "--pull", Form::whole},
    {"CgroupsMode", "--cgroups", Form::whole},
    {"HostName", "--hostname", Form::whole},
    {"Network", "--network", Form::whole},
    {"NetworkAlias", "--network-alias", Form::whole},
    {"IP", "--ip", Form::whole},
    {"IP6", "--ip6", Form::whole},
    {"PublishPort", "--publish", Form::whole},
    {"ExposeHostPort", "--expose", Form::whole},
    {"AddHost", "--add-host", Form::whole},
    {"DNS", "--dns", Form::whole},
    {"DNSOption", "--dns-option", Form::whole},
    {"DNSSearch", "--dns-search", Form::whole},
    {"Volume", "--volume", Form::whole},
    {"Mount", "--mount", Form::whole},
    {"Tmpfs", "--tmpfs", Form::whole},
    {"Rootfs", "--rootfs", Form::whole},
    {"Environment", "--env", Form::words},
    {"EnvironmentFile", "--env-file", Form::whole},
    {"EnvironmentHost", "--env-host", Form::on},
    {"Secret", "--secret", Form::whole},
    {"UserNS", "--userns", Form::whole},
    {"UIDMap", "--uidmap", Form::whole},
    {"GIDMap", "--gidmap", Form::whole},
    {"SubUIDMap", "--subuidname", Form::whole},
    {"SubGIDMap", "--subgidname", Form::whole},
    {"GroupAdd", "--group-add", Form::whole},
    {"AddCapability", "--cap-add", Form::words},
    {"DropCapability", "--cap-drop", Form::words},
    {"AddDevice", "--device", Form::whole},
    {"NoNewPrivileges", "--security-opt=no-new-privileges", Form::on},
    {"SeccompProfile", "seccomp", Form::security},
    {"AppArmor", "apparmor", Form::security},
    {"Mask", "mask", Form::security},
    {"Unmask", "unmask", Form::security},
    {"SecurityLabelDisable", "--security-opt=label=disable", Form::on},
    {"SecurityLabelNested", "--security-opt=label=nested", Form::on},
    {"SecurityLabelType", "type", Form::label},
    {"SecurityLabelLevel", "level", Form::label},
    {"SecurityLabelFileType", "filetype", Form::label},
    {"Sysctl", "--sysctl", Form::words},
    {"Ulimit", "--ulimit", Form::whole},
    {"Memory", "--memory", Form::whole},
    {"PidsLimit", "--pids-limit", Form::whole},
    {"ShmSize", "--shm-size", Form::whole},
    {"ReadOnly", "--read-only", Form::boolean},
    {"ReadOnlyTmpfs", "--read-only-tmpfs", Form::boolean},
    {"RunInit", "--init", Form::boolean},
    {"Timezone", "--tz", Form::whole},
    {"WorkingDir", "--workdir", Form::whole},
    {"StopSignal", "--stop-signal", Form::whole},
    {"StopTimeout", "--stop-timeout", Form::whole},
    {"HealthCmd", "--health-cmd", Form::whole},
    {"HealthInterval", "--health-interval", Form::whole},
    {"HealthRetries", "--health-retries", Form::whole},
    {"HealthTimeout", "--health-timeout", Form::whole},
    {"HealthStartPeriod", "--health-start-period", Form::whole},
    {"HealthOnFailure", "--health-on-failure", Form::whole},
    {"HealthStartupCmd", "--health-startup-cmd", Form::whole},
    {"HealthStartupInterval", "--health-startup-interval", Form::whole},
    {"HealthStartupRetries", "--health-startup-retries", Form::whole},
    {"HealthStartupSuccess", "--health-startup-success", Form::whole},
    {"HealthStartupTimeout", "--health-startup-timeout", Form::whole},
    {"HealthLogDestination", "--health-log-destination", Form::whole},
    {"HealthMaxLogCount", "--health-max-log-count", Form::whole},
    {"HealthMaxLogSize", "--health-max-log-size", Form::whole},
    {"LogDriver", "--log-driver", Form::whole},
    {"LogOpt", "--log-opt", Form::whole},
    {"Label", "--label", Form::words},
    {"Annotation", "--annotation", Form::words},
    {"Entrypoint", "--entrypoint", Form::whole},
    {"Retry", "--retry", Form::whole},
    {"RetryDelay", "--retry-delay", Form::whole},
});
constexpr auto network_rows = std::to_array<Row>({
    {"Driver", "--driver", Form::whole},
    {"DisableDNS", "--disable-dns", Form::on},
    {"DNS", "--dns", Form::whole},
    {"Gateway", "--gateway", Form::whole},
    {"Internal", "--internal", Form::on},
    {"InterfaceName", "--interface-name", Form::whole},
    {"IPAMDriver", "--ipam-driver", Form::whole},
    {"IPRange", "--ip-range", Form::whole},
    {"IPv6", "--ipv6", Form::on},
    {"Label", "--label", Form::words},
    {"Options", "--opt", Form::whole},
    {"Subnet", "--subnet", Form::whole},
});
constexpr auto volume_rows = std::to_array<Row>({
    {"Driver", "--driver", Form::whole},
    {"Label", "--label", Form::words},
});

using Words = std::vector<CommandWord>;

void add(Words& words, std::string text) { words.push_back({{WordPart::Kind::filled, std::move(text)}}); }

std::string_view section_of(const Unit& unit) {
  return unit.kind == "container" ? "Container" : unit.kind == "network" ? "Network" : "Volume";
}

// What podman calls it: as the file says, else as Quadlet does.
Filled podman_name(const Unit& unit, Specifiers& specifiers) {
  const std::string key = unit.kind == "container" ? "ContainerName" : std::string(section_of(unit)) + "Name";
  const UnitSetting* const at = unit.last(section_of(unit), key);
  return at == nullptr ? "systemd-" + dollars_doubled(unit.stem) : specifiers.filled(unit, *at, at->value());
}

// A path that begins with `.` counts from the file's directory; `data.volume:/srv` is the volume of that
// file.
Filled place(const Unit& unit, Specifiers& specifiers, const Units& units, const UnitSetting& at,
             std::string_view text) {
  const auto end = std::min(text.find_first_of(":,"), text.size());
  const std::string_view first = text.substr(0, end);
  const std::string_view rest = text.substr(end);
  const bool names_file = first.ends_with(".volume") || first.ends_with(".network");
  if (names_file) {
    const Unit* const of = units.find(specifiers.plain(unit, first));
    const auto stem = first.substr(0, first.find_last_of('.'));
    return (of == nullptr ? "systemd-" + specifiers.filled(unit, at, stem) : podman_name(*of, specifiers)) +
           specifiers.filled(unit, at, rest);
  }
  const bool relative = first == "." || first.starts_with("./") || first.starts_with("../");
  if (!relative || unit.directory.empty()) return specifiers.filled(unit, at, text);
  const std::string whole = (std::filesystem::path(unit.directory) / first).lexically_normal().string();
  return dollars_doubled(whole) + specifiers.filled(unit, at, rest);
}

void add_option(Words& words, const Row& row, const UnitSetting& at, const Filled& value) {
  const bool on = unit_boolean(at.value()).value_or(false);
  switch (row.form) {
    case Form::whole:
    case Form::words: return add(words, std::string(row.option) + "=" + value);
    case Form::on: return on ? add(words, std::string(row.option)) : void();
    case Form::boolean: return add(words, std::string(row.option) + (on ? "=true" : "=false"));
    case Form::security: return add(words, "--security-opt=" + std::string(row.option) + "=" + value);
    case Form::label: return add(words, "--security-opt=label=" + std::string(row.option) + ":" + value);
  }
}

void add_options(Words& words, const Unit& unit, Specifiers& specifiers, const Units& units,
                 std::span<const Row> rows) {
  for (const Row& row : rows)
    for (const UnitSetting* const at : unit.all(section_of(unit), row.key)) {
      if (row.form != Form::words) {
        const bool path = row.key == "Volume" || row.key == "Network" || row.key == "EnvironmentFile" ||
                          row.key == "Rootfs" || row.key == "SeccompProfile";
        add_option(words, row, *at,
                   path ? place(unit, specifiers, units, *at, at->value())
                        : specifiers.filled(unit, *at, at->value()));
        continue;
      }
      for (const std::string& word : unit_words(at->value()))
        add_option(words, row, *at, specifiers.filled(unit, *at, word));
    }
}

// What is given to podman as it is.
void add_arguments(Words& words, const Unit& unit, Specifiers& specifiers, std::string_view key) {
  for (const UnitSetting* const at : unit.all(section_of(unit), key))
    for (const std::string& word : unit_words(at->value())) add(words, specifiers.filled(unit, *at, word));
}

}  // namespace

void UnitService::container() {
  const auto of = [&](std::string_view key) { return unit_.last("Container", key); };
  const Filled name = podman_name(unit_, set_.specifiers);
  const UnitSetting* const image = of("Image");
  const UnitSetting* const notify = of("Notify");
  const UnitSetting* const health = of("HealthCmd");
  const bool speaks = notify != nullptr && unit_boolean(notify->value()).value_or(false);
  Words words;
  add(words, "podman");
  for (const UnitSetting* const at : unit_.all("Container", "ContainersConfModule"))
    add(words, "--module=" + filled(*at));
  add_arguments(words, unit_, set_.specifiers, "GlobalArgs");
  for (const char* const word : {"run", "--rm", "--replace"}) add(words, word);
  add(words, "--name=" + name);
  add(words, speaks ? "--sdnotify=container" : "--sdnotify=ignore");
  const UnitSetting* const user = of("User");
  const UnitSetting* const group = of("Group");
  if (user != nullptr)
    add(words, "--user=" + filled(*user) + (group == nullptr ? "" : ":" + filled(*group)));
  else if (group != nullptr)
    left(*group, "podman takes a group with its user: write User= as well");
  add_options(words, unit_, set_.specifiers, set_.units, container_rows);
  add_arguments(words, unit_, set_.specifiers, "PodmanArgs");
  if (image != nullptr) {
    if (image->value().ends_with(".image") || image->value().ends_with(".build"))
      left(*image, "belfry builds and pulls nothing: write the name of the image");
    add(words, filled(*image));
  } else if (of("Rootfs") == nullptr) {
    set_.carrier.left(unit_.at, "the image", "the file has no Image=: write it into the command", unit_.name);
  }
  if (const UnitSetting* const exec = of("Exec"))
    for (CommandWord& word : exec_words(unit_, set_.specifiers, *exec, unit_words(exec->value()), true))
      words.push_back(std::move(word));
  const OneCommand command{std::move(words), false};
  out_.key("command", commands_text(std::span(&command, 1), true));
  if (speaks) ready_.emplace_back("notify: true");
  if (!speaks && health != nullptr && health->value() != "none")
    ready_.push_back("exec: [podman, healthcheck, run, " + yaml_text(name) + "]");
  // The container is no process of podman's: it has to go if podman is killed.
  Words removal;
  for (const std::string& word : {std::string("podman"), std::string("rm"), std::string("--force"),
                                  std::string("--ignore"), std::string("--volumes"), name})
    add(removal, word);
  after_stop_.push_back({std::move(removal), false});
  // A oneshot does not run on.
  reloads_ = !oneshot_ && (of("ReloadSignal") != nullptr || of("ReloadCmd") != nullptr);
  if (!reloads_) return;
  if (const UnitSetting* const at = of("ReloadSignal"))
    out_.mapping("reload", {"command: " + yaml_list({"podman", "kill", "--signal", filled(*at), name})});
  else if (const UnitSetting* const call = of("ReloadCmd")) {
    std::vector<std::string> list{"podman", "exec", name};
    for (const std::string& word : unit_words(call->value())) list.push_back(filled(*call, word));
    out_.mapping("reload", {"command: " + yaml_list(list)});
  }
}

// A network or a volume: made once, if it is not there.
void UnitService::resource() {
  const bool network = unit_.kind == "network";
  Words words;
  for (const char* const word : {"podman", network ? "network" : "volume", "create", "--ignore"})
    add(words, word);
  const std::span<const Row> rows =
      network ? std::span<const Row>(network_rows) : std::span<const Row>(volume_rows);
  add_options(words, unit_, set_.specifiers, set_.units, rows);
  add_arguments(words, unit_, set_.specifiers, "PodmanArgs");
  add(words, podman_name(unit_, set_.specifiers));
  const OneCommand command{std::move(words), false};
  out_.key("command", commands_text(std::span(&command, 1), true));
}

}  // namespace belfry::config
