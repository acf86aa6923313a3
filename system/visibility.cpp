#include "system/visibility.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "system/account_files.hpp"
#include "system/capabilities.hpp"
#include "system/proc.hpp"

namespace belfry::system {

// A line of proc(5), mountinfo: "36 35 0:23 / /proc rw,… - proc proc rw,hidepid=invisible". The last mount on
// a place is the one that is seen.
std::string_view hiding_option_in(std::string_view mountinfo) {
  std::string_view found;
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    if (!line.contains(" /proc ") || !line.contains(" - proc ")) continue;
    found = {};
    const std::size_t at = line.find("hidepid=");
    if (at == std::string_view::npos) continue;
    const std::string_view option = line.substr(at, line.find_first_of(", ", at) - at);
    if (option != "hidepid=0" && option != "hidepid=off") found = option;
  }
  return found;
}

std::string why_processes_are_hidden() {
  if (::access("/proc/self", F_OK) != 0) return "/proc is not mounted";
  if (!proc::is_ours()) return "/proc is that of another PID namespace";
  if (has_capability(CAP_SYS_PTRACE)) return {};
  const std::string mounts = proc::read_file("/proc/self/mountinfo");
  if (const std::string_view option = hiding_option_in(mounts); !option.empty())
    return "/proc hides the processes of other users (" + std::string(option) + ")";
  return "belfry may not look at processes of other users (no CAP_SYS_PTRACE)";
}

int first_unprivileged_port() {
  const std::string text = proc::read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  int first = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), first);
  return error == std::errc{} ? first : 1024;
}

// Line "Uid:" of proc_pid_status(5): real, effective, saved, of the file system.
std::optional<uid_t> user_of_process(pid_t pid) {
  const std::string status = proc::read_file("/proc/" + std::to_string(pid) + "/status");
  const std::size_t line = status.find("\nUid:");
  unsigned real = 0, effective = 0;
  if (line == std::string::npos || std::sscanf(status.c_str() + line, "\nUid: %u %u", &real, &effective) != 2)
    return std::nullopt;
  return effective;
}

std::string name_of_user(uid_t uid) {
  const auto entry = AccountFiles().user_of(uid);
  return entry && *entry ? (*entry)->name : std::to_string(uid);
}

std::string name_of_group(gid_t gid) {
  const std::string name = AccountFiles().name_of_group(gid);
  return name.empty() ? std::to_string(gid) : name;
}

}  // namespace belfry::system
