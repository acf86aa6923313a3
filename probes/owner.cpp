#include "probes/owner.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "system/cgroup_files.hpp"
#include "system/proc.hpp"

namespace belfry::probes {

namespace {

namespace proc = system::proc;

using Sockets = std::vector<system::ListeningSocket>;

constexpr auto longest_search = std::chrono::milliseconds(20);  // of the loop's time

bool is_seen_to_hold(pid_t pid, const Sockets& sockets) {
  const auto held = proc::sockets_of(pid);
  return std::ranges::any_of(
      sockets, [&](const auto& socket) { return std::ranges::find(held, socket.inode) != held.end(); });
}

bool any_holds(const std::vector<pid_t>& pids, const Sockets& sockets) {
  return std::ranges::any_of(pids, [&](pid_t pid) {
    if (is_seen_to_hold(pid, sockets)) return true;
    const auto user = proc::user_who_hides(pid);
    return user && std::ranges::any_of(sockets, [&](const auto& socket) { return socket.uid == *user; });
  });
}

}  // namespace

bool holds_one(const system::TreeId& tree, const Sockets& sockets) {
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

const std::string& ForeignHolder::name(const Sockets& sockets, bool unix_sockets) {
  if (!name_.empty() && sockets_ == sockets) return name_;
  sockets_ = sockets;
  std::vector<ino_t> inodes;
  std::ranges::transform(sockets, std::back_inserter(inodes), &system::ListeningSocket::inode);
  if (const auto holder = proc::holder_of(inodes, longest_search))
    name_ = "pid " + std::to_string(holder->pid) + " " + holder->name;
  else
    name_ = std::string("another process (`ss ") + (unix_sockets ? "-lxp" : "-lnp") + "` shows which)";
  return name_;
}

}  // namespace belfry::probes
