#include "daemon/notify/access.hpp"

#include <algorithm>
#include <vector>

#include "system/proc.hpp"
#include "system/process_identity.hpp"

namespace belfry::daemon {

using config::NotifyAccess;

namespace {

namespace proc = system::proc;

bool has_marker(pid_t pid, std::string_view marker) {
  return pid > 1 && pid != system::own_pid() && proc::variable_of(pid, "BELFRY_SERVICE") == marker;
}

bool leads(pid_t one, const Speakers& who) { return one != 0 && (one == who.leader || one == who.hook); }

}  // namespace

bool is_process_of(pid_t pid, const Speakers& who) {
  if (leads(pid, who) || pid == who.main) return true;
  const auto session = proc::session_of(pid);
  if (!session) return false;
  const pid_t group = proc::group_of(pid);
  if (leads(*session, who) || leads(group, who)) return true;
  const auto is_ours = [&who](pid_t above) { return leads(above, who) || above == who.main; };
  if (proc::nearest_above(pid, is_ours) != 0) return true;
  if (who.marker.empty()) return false;
  if (has_marker(pid, who.marker)) return true;
  // A dying process has no environment left to read, but its session, its group and its parent may still be
  // there to tell.
  return proc::is_exiting(pid) && (has_marker(*session, who.marker) || has_marker(group, who.marker) ||
                                   has_marker(proc::parent_of(pid).value_or(0), who.marker));
}

std::uint64_t burials_around(const Speakers& who) {
  constexpr std::size_t most_looked_at = 64;
  if (!proc::is_ours()) return 0;
  std::vector<pid_t> living;
  for (const pid_t one : {who.leader, who.main, who.hook}) {
    if (one != 0 && std::ranges::find(living, one) == living.end()) living.push_back(one);
  }
  std::uint64_t sum = proc::faults_of_buried(system::own_pid());
  for (std::size_t i = 0; i < std::min(living.size(), most_looked_at); ++i) {
    sum += proc::faults_of_buried(living[i]);
    for (const pid_t child : proc::children_of(living[i])) living.push_back(child);
  }
  return sum;
}

std::optional<NotifyRefusal> refusal_of(const NotifySender& sender, const Speakers& who, bool own_socket,
                                        const std::function<bool()>& may_have_been) {
  if (who.leader == 0 && who.hook == 0) return NotifyRefusal::stranger;
  if (sender.pid == 0) return NotifyRefusal::stranger;  // not in this PID namespace; no service is outside
  if (sender.pid == who.main) return std::nullopt;
  // A sender that is dying counts as gone, as one that was reaped: its environment says nothing any more.
  const bool known = is_process_of(sender.pid, who);
  const bool gone = !known && (!proc::session_of(sender.pid) || proc::is_exiting(sender.pid));
  if (!known && !gone) return NotifyRefusal::stranger;
  if (gone && (!own_socket || sender.uid != who.uid)) return NotifyRefusal::stranger;
  // A zombie that waits for belfry to reap it came from one of belfry's services.
  const bool ours = gone && proc::parent_of(sender.pid) == system::own_pid();
  if (gone && !ours && may_have_been && !may_have_been()) return NotifyRefusal::stranger;
  const bool of_hook = who.hook != 0 && (sender.pid == who.hook || proc::session_of(sender.pid) == who.hook);
  switch (who.access) {
    case NotifyAccess::all: return std::nullopt;
    case NotifyAccess::exec: return of_hook ? std::nullopt : std::optional(NotifyRefusal::not_allowed);
    case NotifyAccess::main: break;
  }
  return NotifyRefusal::not_allowed;
}

}  // namespace belfry::daemon
