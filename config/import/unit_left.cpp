// What of a unit nobody has read, and why.
#include <algorithm>
#include <array>

#include "config/import/unit_service.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

using Reason = std::pair<std::string_view, std::string_view>;

constexpr auto reasons = std::to_array<Reason>({
    {"DynamicUser", "make a user for it, and write user"},
    {"Conflicts", "belfry starts all of the file: give one of the two a profile"},
    {"OnFailure", "essential: true ends the stack; alerts come from /metrics"},
    {"OnSuccess", "write a oneshot that depends on it: stopped"},
    {"FailureAction", "essential: true ends the stack when it has failed for good"},
    {"SuccessAction", "main: true ends the stack with its exit code"},
    {"StartLimitAction", "essential: true ends the stack when it has failed for good"},
    {"SystemCallFilter", "belfry filters no system calls"},
    {"SystemCallArchitectures", "belfry filters no system calls"},
    {"SystemCallErrorNumber", "belfry filters no system calls"},
    {"RestrictAddressFamilies", "belfry filters no system calls"},
    {"RestrictNamespaces", "belfry filters no system calls"},
    {"RestrictRealtime", "belfry filters no system calls"},
    {"RestrictSUIDSGID", "belfry filters no system calls; no_new_privileges: true is near"},
    {"LockPersonality", "belfry filters no system calls"},
    {"MemoryDenyWriteExecute", "belfry filters no system calls"},
    {"SecureBits", "belfry has no counterpart"},
    {"CacheDirectory", "make it before, or write state_directory"},
    {"LogsDirectory", "make it before, or write log: {file: …}"},
    {"ConfigurationDirectory", "make it before"},
    {"RuntimeDirectoryPreserve", "it is removed when the service has stopped: write state_directory"},
    {"SetCredential", "write it into a file, and that into credentials"},
    {"LoadCredentialEncrypted", "decrypt it before, and write credentials"},
    {"SetCredentialEncrypted", "decrypt it before, and write credentials"},
    {"UnsetEnvironment", "environment_from names what it inherits, clean_environment: true nothing"},
    {"ExecCondition", "a start that is not wanted is a failure here: write pre_start, or a profile"},
    {"RestartPreventExitStatus", "belfry makes no difference between failures"},
    {"RestartForceExitStatus", "belfry makes no difference between failures"},
    {"Slice", "belfry's own unit has a slice"},
    {"Delegate", "belfry gives each service a cgroup where cgroups are asked for"},
    {"MemoryHigh", "belfry knows memory_max"},
    {"MemoryLow", "belfry knows memory_max"},
    {"MemoryMin", "belfry knows memory_max"},
    {"MemoryLimit", "its name is MemoryMax= now: cgroup: {memory_max: …}"},
    {"CPUWeight", "belfry knows cpu_max, and nice"},
    {"CPUShares", "belfry knows cpu_max, and nice"},
    {"IOWeight", "belfry knows io_priority"},
    {"SyslogIdentifier", "lines are told apart by the name of the service"},
    {"SyslogFacility", "lines are told apart by the name of the service"},
    {"SyslogLevel", "belfry's lines have no level"},
    {"LogLevelMax", "belfry's lines have no level"},
    {"LogRateLimitIntervalSec", "belfry drops the oldest lines when nobody takes them"},
    {"LogRateLimitBurst", "belfry drops the oldest lines when nobody takes them"},
    {"BusName", "only a service of Type=dbus is ready by its name"},
    {"GuessMainPID", "belfry follows the processes themselves"},
    {"TimeoutAbortSec", "what does not answer its watchdog has as long as stop.timeout"},
    {"TimeoutStartFailureMode", "a start that takes too long is stopped"},
    {"TimeoutStopFailureMode", "a stop that takes too long is ended with SIGKILL"},
    {"RuntimeMaxSec", "belfry ends nothing because it has run for long"},
    {"FinalKillSignal", "the last signal is SIGKILL"},
    {"SendSIGKILL", "what is left of the process tree is always killed"},
    {"SendSIGHUP", "belfry sends the one signal of stop"},
    {"RestartKillSignal", "belfry sends the one signal of stop"},
    {"WatchdogSignal", "it is SIGABRT"},
    {"RootDirectory", "belfry changes no root"},
    {"RootImage", "belfry runs no images"},
    {"ReadOnlyPaths", "read_only_root with writable says the same the other way round"},
    {"InaccessiblePaths", "protect_home, private_tmp and the user's rights are what belfry has"},
    {"ReadWritePaths", "without ProtectSystem=strict nothing is read only"},
    {"BindPaths", "belfry mounts nothing"},
    {"BindReadOnlyPaths", "belfry mounts nothing"},
    {"TemporaryFileSystem", "private_tmp is what belfry has"},
    {"CPUSchedulingPolicy", "write chrt before the command"},
    {"CPUSchedulingPriority", "write chrt before the command"},
    {"AutoUpdate", "podman updates what systemd runs"},
    {"Pod", "put them into one network, or write podman's own --pod"},
    {"StartWithPod", "belfry starts all of the file"},
    {"ServiceName", "rename the service in the file"},
    {"Also", "belfry starts all of the file"},
});

// By how they begin.
constexpr auto families = std::to_array<Reason>({
    {"Condition", "write a profile, or a pre_start that fails where it should not start"},
    {"Assert", "write a pre_start that fails where it should not start"},
    {"Protect", "belfry's sandbox has read_only_root, private_tmp, private_network, protect_home"},
    {"Private", "belfry's sandbox has read_only_root, private_tmp, private_network, protect_home"},
    {"IPAddress", "belfry filters no packets"},
    {"Socket", "belfry's sockets have an address, a mode, an owner and a group"},
    {"IO", "belfry knows io_priority"},
    {"BlockIO", "belfry knows io_priority"},
    {"CPU", "belfry knows cpu_max, cpu_affinity and nice"},
    {"NUMA", "write numactl before the command"},
    {"Memory", "belfry knows memory_max"},
    {"Device", "belfry does not restrict devices"},
    {"Managed", "belfry watches no pressure of memory"},
    {"Job", "belfry gives a start no deadline but that of ready"},
    {"Root", "belfry changes no root"},
    {"TTY", "tty: true gives it a terminal of its own"},
    {"SELinux", "belfry sets no labels"},
    {"AppArmor", "belfry sets no profiles"},
    {"Smack", "belfry sets no labels"},
    {"Exec", "belfry has no such hook"},
    {"Propagates", "belfry reload and restart name each service"},
});

// Others that systemd knows and belfry does not: for "did you mean" they must be words, too.
constexpr auto others = std::to_array<std::string_view>({"After",
                                                         "Before",
                                                         "Requires",
                                                         "Requisite",
                                                         "Wants",
                                                         "BindsTo",
                                                         "PartOf",
                                                         "Upholds",
                                                         "WantedBy",
                                                         "RequiredBy",
                                                         "Description",
                                                         "Documentation",
                                                         "Type",
                                                         "Restart",
                                                         "RestartSec",
                                                         "ExecStart",
                                                         "ExecStartPre",
                                                         "ExecStartPost",
                                                         "ExecStop",
                                                         "ExecStopPost",
                                                         "ExecReload",
                                                         "Environment",
                                                         "EnvironmentFile",
                                                         "PassEnvironment",
                                                         "User",
                                                         "Group",
                                                         "SupplementaryGroups",
                                                         "UMask",
                                                         "Nice",
                                                         "OOMScoreAdjust",
                                                         "WorkingDirectory",
                                                         "TimeoutStartSec",
                                                         "TimeoutStopSec",
                                                         "TimeoutSec",
                                                         "KillSignal",
                                                         "KillMode",
                                                         "WatchdogSec",
                                                         "NotifyAccess",
                                                         "StandardInput",
                                                         "StandardOutput",
                                                         "StandardError",
                                                         "RuntimeDirectory",
                                                         "StateDirectory",
                                                         "RuntimeDirectoryMode",
                                                         "StateDirectoryMode",
                                                         "LoadCredential",
                                                         "NoNewPrivileges",
                                                         "AmbientCapabilities",
                                                         "CapabilityBoundingSet",
                                                         "ProtectSystem",
                                                         "ProtectHome",
                                                         "PrivateTmp",
                                                         "PrivateNetwork",
                                                         "MemoryMax",
                                                         "CPUQuota",
                                                         "TasksMax",
                                                         "LimitNOFILE",
                                                         "LimitNPROC",
                                                         "LimitCORE",
                                                         "LimitMEMLOCK",
                                                         "CPUAffinity",
                                                         "IOSchedulingClass",
                                                         "IOSchedulingPriority",
                                                         "FileDescriptorStoreMax",
                                                         "SuccessExitStatus",
                                                         "StartLimitBurst",
                                                         "StartLimitIntervalSec",
                                                         "Sockets",
                                                         "DefaultDependencies",
                                                         "Alias",
                                                         "DefaultInstance",
                                                         "ListenStream",
                                                         "ListenDatagram",
                                                         "ListenSequentialPacket",
                                                         "ListenFIFO",
                                                         "ListenNetlink",
                                                         "Accept",
                                                         "Service",
                                                         "Backlog",
                                                         "FileDescriptorName",
                                                         "ReusePort",
                                                         "BindIPv6Only",
                                                         "FreeBind",
                                                         "NoDelay",
                                                         "KeepAlive",
                                                         "MaxConnections",
                                                         "RemoveOnStop",
                                                         "DirectoryMode",
                                                         "PassCredentials",
                                                         "RefuseManualStart",
                                                         "RefuseManualStop",
                                                         "StopWhenUnneeded",
                                                         "AllowIsolate",
                                                         "IgnoreOnIsolate",
                                                         "CollectMode",
                                                         "RequiresMountsFor",
                                                         "WantsMountsFor",
                                                         "JoinsNamespaceOf",
                                                         "KeyringMode",
                                                         "IgnoreSIGPIPE",
                                                         "TimerSlackNSec",
                                                         "Personality",
                                                         "UtmpIdentifier",
                                                         "UtmpMode",
                                                         "OOMPolicy",
                                                         "NonBlocking",
                                                         "PIDFile",
                                                         "RestartSteps",
                                                         "RestartMaxDelaySec",
                                                         "RestartMode",
                                                         "ExitType",
                                                         "PermissionsStartOnly",
                                                         "AmbientCapabilities",
                                                         "RemoveIPC",
                                                         "MountFlags",
                                                         "MountAPIVFS",
                                                         "ExtensionImages",
                                                         "TasksAccounting",
                                                         "CoredumpFilter",
                                                         "ReloadSignal",
                                                         "Image",
                                                         "Exec",
                                                         "PublishPort",
                                                         "Volume",
                                                         "Network",
                                                         "ContainerName",
                                                         "HealthCmd",
                                                         "Notify",
                                                         "PodmanArgs",
                                                         "Entrypoint"});

// What makes no difference here: everything is so anyway, or it is read where it counts.
bool is_so_anyway(const UnitSetting& one) {
  constexpr auto keys = std::to_array<std::string_view>({"DefaultDependencies",
                                                         "IgnoreSIGPIPE",
                                                         "CPUAccounting",
                                                         "MemoryAccounting",
                                                         "TasksAccounting",
                                                         "IOAccounting",
                                                         "BlockIOAccounting",
                                                         "IPAccounting",
                                                         "Sockets",
                                                         "DefaultInstance",
                                                         "Alias",
                                                         "WantedBy",
                                                         "RequiredBy",
                                                         "UpheldBy",
                                                         "AllowIsolate",
                                                         "RefuseManualStart",
                                                         "RefuseManualStop",
                                                         "KillMode",
                                                         "SendSIGKILL",
                                                         "CollectMode",
                                                         "NonBlocking",
                                                         "OOMPolicy",
                                                         "MountAPIVFS",
                                                         "SyslogLevelPrefix",
                                                         "Also"});
  if (one.key().starts_with("X-") || one.section.starts_with("X-")) return true;
  if (one.section == "Install" || one.value().empty()) return true;
  if (std::ranges::find(keys, one.key()) == keys.end()) return false;
  return one.key() != "SendSIGKILL" || one.value() != "no";
}

}  // namespace

std::string why_unit_key_is_left(std::string_view section, std::string_view key) {
  constexpr auto sections = std::to_array<std::string_view>(
      {"Unit", "Service", "Install", "Socket", "Container", "Network", "Volume", "Target", "Quadlet"});
  if (std::ranges::find(sections, section) == sections.end())
    return "the section is none that belfry reads: " + text::did_you_mean(section, sections);
  const auto exact = std::ranges::find(reasons, key, &Reason::first);
  if (exact != reasons.end()) return std::string(exact->second);
  constexpr std::string_view no_counterpart = "belfry has no counterpart";
  if (std::ranges::find(others, key) != others.end()) return std::string(no_counterpart);
  std::vector<std::string_view> known(others.begin(), others.end());
  for (const Reason& one : reasons) known.push_back(one.first);
  const std::string_view near = text::nearest(key, known);
  if (!near.empty()) return "belfry does not know this key: did you mean `" + std::string(near) + "`?";
  const auto family =
      std::ranges::find_if(families, [&](const Reason& one) { return key.starts_with(one.first); });
  return std::string(family == families.end() ? no_counterpart : family->second);
}

void UnitService::list_rest() {
  for (const UnitSetting& one : unit_.settings) {
    if (one.is_read || is_so_anyway(one)) continue;
    one.is_read = true;
    left(one,
         set_.carrier.is_full() ? "belfry has no counterpart" : why_unit_key_is_left(one.section, one.key()));
  }
}

}  // namespace belfry::config
