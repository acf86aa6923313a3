#include "probes/owner.hpp"

#include <algorithm>
#include <iterator>

#include "system/cgroup_files.hpp"
#include "system/proc.hpp"
#include "system/process_identity.hpp"

namespace belfry::probes {

namespace {

namespace proc = system::proc;

using Sockets = std::vector<system::ListeningSocket>;

// What a process costs beside its descriptors: its children, its directory, its environment.
constexpr std::uint32_t units_per_process = 16;

void spend(std::uint32_t& budget, std::uint32_t units) { budget -= std::min(budget, units); }

std::vector<ino_t> inodes_of(const Sockets& sockets) {
  std::vector<ino_t> inodes;
  std::ranges::transform(sockets, std::back_inserter(inodes), &system::ListeningSocket::inode);
  return inodes;
}

}  // namespace

TreeSearch::TreeSearch(const system::TreeId& tree, const Sockets& sockets)
    : tree_(tree), inodes_(inodes_of(sockets)) {
  std::ranges::transform(sockets, std::back_inserter(makers_), &system::ListeningSocket::uid);
  add({tree_.leader});
}

void TreeSearch::add(const std::vector<pid_t>& pids, bool are_children_of_belfry) {
  for (const pid_t pid : pids) {
    if (seen_.insert(pid).second) next_.push_back({.pid = pid, .may_be_strange = are_children_of_belfry});
  }
}

bool TreeSearch::is_strange(pid_t child) const {
  return proc::session_of(child) != tree_.leader &&
         proc::variable_of(child, "BELFRY_SERVICE") != std::string(tree_.marker);
}

void TreeSearch::begin_others(std::uint32_t& budget) {
  part_ = Part::others;
  spend(budget, units_per_process);
  if (!tree_.cgroup.empty())
    add(system::cgroup::pids_in(tree_.cgroup));
  else
    add(proc::children_of(system::own_pid()), true);
}

// True: it is known to hold one without a look at its descriptors.
bool TreeSearch::begin(pid_t pid, std::uint32_t& budget) {
  spend(budget, units_per_process);
  add(proc::children_of(pid));
  walk_.emplace(pid);
  const auto user = proc::user_who_hides(pid);
  return user && std::ranges::find(makers_, *user) != makers_.end();
}

SearchStep TreeSearch::step(std::uint32_t budget) {
  while (budget > 0) {
    if (walk_ && !walk_->at_end()) {
      if (walk_->find(inodes_, budget)) return SearchStep::found;
      continue;
    }
    if (next_.empty()) {
      if (part_ != Part::descendants) return SearchStep::ended;
      begin_others(budget);
      continue;
    }
    const Candidate one = next_.front();
    next_.pop_front();
    if (one.may_be_strange && is_strange(one.pid))
      spend(budget, units_per_process);
    else if (begin(one.pid, budget))
      return SearchStep::found;
  }
  return SearchStep::more;
}

HostSearch::HostSearch(const Sockets& sockets) : inodes_(inodes_of(sockets)), processes_(proc::all()) {
  std::ranges::reverse(processes_);
}

SearchStep HostSearch::step(std::uint32_t budget) {
  while (budget > 0) {
    if (walk_ && !walk_->at_end()) {
      if (!walk_->find(inodes_, budget)) continue;
      walk_.reset();
      return SearchStep::found;
    }
    if (processes_.empty()) return SearchStep::ended;
    holder_ = processes_.back();
    processes_.pop_back();
    walk_.emplace(holder_);
    spend(budget, units_per_process);
  }
  return SearchStep::more;
}

}  // namespace belfry::probes
