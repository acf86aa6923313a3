#include "probes/owner.hpp"

#include <unistd.h>

#include <algorithm>

#include "system/cgroup_files.hpp"
#include "system/proc.hpp"

namespace belfry::probes {

namespace {

namespace proc = system::proc;

bool any_holds(const std::vector<pid_t>& pids, const std::vector<ino_t>& sockets) {
  return std::ranges::any_of(pids, [&](pid_t pid) {
    const auto held = proc::sockets_of(pid);
    return std::ranges::find_first_of(held, sockets) != held.end();
  });
}

}  // namespace

bool holds_one(const system::TreeId& tree, const std::vector<ino_t>& sockets) {
  if (any_holds(proc::descendants_of({tree.leader}), sockets)) return true;
  if (!tree.cgroup.empty()) return any_holds(system::cgroup::pids_in(tree.cgroup), sockets);
  std::vector<pid_t> orphans = proc::children_of(::getpid());
  std::erase_if(orphans, [&](pid_t pid) {
    if (pid == tree.leader) return true;
    return ::getsid(pid) != tree.leader &&
           proc::variable_of(pid, "BELFRY_SERVICE") != std::string(tree.marker);
  });
  return any_holds(proc::descendants_of(std::move(orphans)), sockets);
}

}  // namespace belfry::probes
