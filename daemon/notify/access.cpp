#include "daemon/notify/access.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "system/proc.hpp"

namespace belfry::daemon {

using config::NotifyAccess;

namespace {

constexpr int longest_ancestry = 64;

bool has_marker(pid_t pid, std::string_view marker) {
  return pid > 1 && pid != ::getpid() && system::proc::variable_of(pid, "BELFRY_SERVICE") == marker;
}

bool leads(pid_t one, const Speakers& who) { return one != 0 && (one == who.leader || one == who.hook); }

}  // namespace

std::optional<pid_t> session_of(pid_t pid) {
  const pid_t session = ::getsid(pid);
  return session < 0 ? std::nullopt : std::optional(session);
}

pid_t parent_of(pid_t pid) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  std::FILE* file = std::fopen(path.data(), "re");
  if (file == nullptr) return 0;
  std::array<char, 512> line{};
  const std::size_t n = std::fread(line.data(), 1, line.size() - 1, file);
  std::fclose(file);
  // The name is in parentheses and may contain anything: what follows the last one is safe to parse.
  const std::string_view text(line.data(), n);
  const std::size_t end = text.rfind(')');
  int parent = 0;
  char state = 0;
  if (end == std::string_view::npos || std::sscanf(line.data() + end + 1, " %c %d", &state, &parent) != 2)
    return 0;
  return parent;
}

bool is_process_of(pid_t pid, const Speakers& who) {
  if (leads(pid, who) || pid == who.main) return true;
  const auto session = session_of(pid);
  if (!session) return false;
  if (leads(*session, who) || leads(::getpgid(pid), who)) return true;
  pid_t above = pid;
  for (int i = 0; i < longest_ancestry && above > 1; ++i) {
    above = parent_of(above);
    if (leads(above, who) || (above != 0 && above == who.main)) return true;
  }
  if (who.marker.empty()) return false;
  if (has_marker(pid, who.marker)) return true;
  // Who is dying has no environment left to read, but its session and its parent may still be there to tell.
  return system::proc::is_exiting(pid) &&
         (has_marker(*session, who.marker) || has_marker(::getpgid(pid), who.marker) ||
          has_marker(parent_of(pid), who.marker));
}

std::uint64_t burials_around(const Speakers& who) {
  constexpr std::size_t most_looked_at = 64;
  if (!system::proc::is_ours()) return 0;
  std::vector<pid_t> living;
  for (const pid_t one : {who.leader, who.main, who.hook}) {
    if (one != 0 && std::ranges::find(living, one) == living.end()) living.push_back(one);
  }
  std::uint64_t sum = system::proc::faults_of_buried(::getpid());
  for (std::size_t i = 0; i < std::min(living.size(), most_looked_at); ++i) {
    sum += system::proc::faults_of_buried(living[i]);
    for (const pid_t child : system::proc::children_of(living[i])) living.push_back(child);
  }
  return sum;
}

std::optional<NotifyRefusal> refusal_of(const NotifySender& sender, const Speakers& who, bool own_socket,
                                        const std::function<bool()>& may_have_been) {
  if (who.leader == 0 && who.hook == 0) return NotifyRefusal::stranger;
  if (sender.pid == 0) return NotifyRefusal::stranger;  // not in this PID namespace; no service is outside
  if (sender.pid == who.main) return std::nullopt;
  // Dead or dying is one thing, reaped or not: its environment says nothing, be it for or against.
  const bool known = is_process_of(sender.pid, who);
  const bool gone = !known && (!session_of(sender.pid) || system::proc::is_exiting(sender.pid));
  if (!known && !gone) return NotifyRefusal::stranger;
  if (gone && (!own_socket || sender.uid != who.uid)) return NotifyRefusal::stranger;
  // A zombie that waits for belfry to bury it came from one of belfry's services.
  const bool ours = gone && parent_of(sender.pid) == ::getpid();
  if (gone && !ours && may_have_been && !may_have_been()) return NotifyRefusal::stranger;
  const bool of_hook = who.hook != 0 && (sender.pid == who.hook || session_of(sender.pid) == who.hook);
  switch (who.access) {
    case NotifyAccess::all: return std::nullopt;
    case NotifyAccess::exec: return of_hook ? std::nullopt : std::optional(NotifyRefusal::not_allowed);
    case NotifyAccess::main: break;
  }
  return NotifyRefusal::not_allowed;
}

}  // namespace belfry::daemon
