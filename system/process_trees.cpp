#include "system/process_trees.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "channels/loop.hpp"
#include "system/cgroup_files.hpp"
#include "system/proc.hpp"

namespace belfry::system {

namespace {

// A fork tree grows while it is walked; each round kills the generation that the last one missed.
constexpr int rounds = 8;

constexpr auto patience = std::chrono::milliseconds(5);

}  // namespace

void ProcessTrees::look() {
  orphans_.look([this](pid_t pid) { return reaper_->owns(pid); });
}

std::vector<pid_t> ProcessTrees::orphans_of(const TreeId& tree) {
  std::vector<pid_t> found;
  for (pid_t orphan : orphans_.all()) {
    if (orphans_.belongs(orphan, tree)) found.push_back(orphan);
  }
  return found;
}

// Ancestry counts only as a snapshot: whoever is reached from the leader or from an attributed orphan.
std::vector<pid_t> ProcessTrees::everybody_of(const TreeId& tree) {
  look();
  std::vector<pid_t> roots = orphans_of(tree);
  if (reaper_->owns(tree.leader)) roots.insert(roots.begin(), tree.leader);
  if (!tree.cgroup.empty()) {
    for (const pid_t pid : cgroup::pids_in(tree.cgroup)) {
      if (std::ranges::find(roots, pid) == roots.end()) roots.push_back(pid);
    }
  }
  return proc::descendants_of(std::move(roots));
}

bool ProcessTrees::send(pid_t pid, int signo) {
  if (pid < 0 || !asks_to_end(signo) || !reaper_->owns(pid)) return send_signal(syscalls_, pid, signo);
  if (syscalls_.kill(pid, signo) != 0) return false;
  let_go_on(pid);
  return true;
}

// Nearly nobody is stopped, and most are gone in a moment: those who aren't are told then. Only our own
// children: their numbers stay theirs.
void ProcessTrees::let_go_on(pid_t pid) {
  to_go_on_.push_back(pid);
  if (!going_on_.armed()) going_on_.arm(loop_.now() + patience, [this] { let_all_go_on(); });
}

void ProcessTrees::let_all_go_on() {
  for (const pid_t pid : std::exchange(to_go_on_, {})) {
    if (reaper_->owns(pid)) syscalls_.kill(pid, SIGCONT);
  }
}

bool ProcessTrees::signal_group(const TreeId& tree, int signo) {
  // The group's number is safe while its leader is not reaped, or while one of our orphans is in it.
  if (reaper_->owns(tree.leader)) return send(-tree.leader, signo) || send(tree.leader, signo);
  look();
  bool present =
      std::ranges::any_of(orphans_.all(), [&](pid_t orphan) { return orphans_.in_group(orphan, tree); });
  return present && send(-tree.leader, signo);
}

bool ProcessTrees::signal_everybody(const TreeId& tree, int signo) {
  // Also whom it has just forked. Who fled from it is an orphan once it is gone, and looked for then.
  if (signo == SIGKILL && !tree.cgroup.empty() && cgroup::is_populated(tree.cgroup) &&
      cgroup::kill_all(tree.cgroup))
    return true;
  std::vector<pid_t> told;
  for (int round = 0; round < (signo == SIGKILL ? rounds : 1); ++round) {
    std::vector<pid_t> now = everybody_of(tree);
    signal_group(tree, signo);
    bool somebody_new = false;
    for (pid_t pid : now) {
      if (std::ranges::find(told, pid) != told.end()) continue;
      somebody_new = true;
      told.push_back(pid);
      if (::getpgid(pid) != tree.leader) send(pid, signo);
    }
    if (!somebody_new) break;
  }
  return !told.empty();
}

bool ProcessTrees::signal(const TreeId& tree, int signo, Scope scope) {
  switch (scope) {
    case Scope::leader: return reaper_->owns(tree.leader) && send(tree.leader, signo);
    case Scope::group: return signal_group(tree, signo);
    case Scope::tree: break;
  }
  Watch* watch = watches_.find(tree.leader);
  if (watch != nullptr && signo == SIGKILL) watch->condemned = true;
  return signal_everybody(tree, signo);
}

bool ProcessTrees::alive(const TreeId& tree) {
  return reaper_->owns(tree.leader) || !survivors(tree).empty();
}

std::vector<Survivor> ProcessTrees::survivors(const TreeId& tree) {
  return proc::describe_living(everybody_of(tree));
}

std::vector<Survivor> ProcessTrees::strays() {
  reaper_->sweep();
  look();
  std::vector<pid_t> nobodys = orphans_.all();
  watches_.each([&](pid_t, Watch& watch) {
    std::erase_if(nobodys, [&](pid_t orphan) { return orphans_.belongs(orphan, watch.tree); });
  });
  return proc::describe_living(proc::descendants_of(std::move(nobodys)));
}

void ProcessTrees::watch(const TreeId& tree, TreeWatcher& watcher) {
  Watch& watch = watches_[tree.leader];
  watch.tree = tree;  // asked again: once condemned, it stays so
  watch.watcher = &watcher;
  if (!tree.cgroup.empty() && watch.cgroup_watch < 0) watch.cgroup_watch = cgroups_.add(tree.cgroup);
  if (reaper_->owns(tree.leader)) return reaper_->expect(tree.leader);
  ended_.push_back(tree.leader);
  request_settle();
}

void ProcessTrees::unwatch(TreeWatcher& watcher) {
  pid_t leader = 0;
  watches_.each([&](pid_t pid, Watch& watch) {
    if (watch.watcher == &watcher) leader = pid;
  });
  if (leader == 0) return;
  forget(leader);
  std::erase(ended_, leader);
}

void ProcessTrees::forget(pid_t leader) {
  if (const Watch* watch = watches_.find(leader)) cgroups_.remove(watch->cgroup_watch);
  watches_.erase(leader);
}

void ProcessTrees::on_cgroup_changed() {
  if (!ended_.empty()) request_settle();
}

void ProcessTrees::reaped(pid_t pid, bool known) {
  if (!known) orphans_.forget(pid);
  if (known && watches_.find(pid) != nullptr) ended_.push_back(pid);
  if (!ended_.empty()) request_settle();
}

void ProcessTrees::request_settle() {
  if (!settle_.linked()) loop_.wake(settle_);
}

bool ProcessTrees::is_empty(const TreeId& tree) {
  if (!tree.cgroup.empty() && cgroup::is_populated(tree.cgroup)) return false;
  if (orphans_.visible()) return orphans_of(tree).empty();
  return syscalls_.kill(-tree.leader, 0) == -ESRCH;  // without /proc only the group can be asked
}

void ProcessTrees::settle() {
  look();
  if (!orphans_.all().empty()) {
    reaper_->sweep();  // the dead among them count no longer
    look();
  }
  settle_.unlink();
  std::vector<pid_t> candidates;
  candidates.swap(ended_);
  for (pid_t leader : candidates) {
    Watch* watch = watches_.find(leader);
    if (watch == nullptr) continue;  // taken out by an earlier callback of this round
    if (is_empty(watch->tree)) {
      TreeWatcher* watcher = watch->watcher;
      forget(leader);
      watcher->on_tree_empty(leader);
    } else {
      ended_.push_back(leader);
      if (watch->condemned) {
        TreeId tree = watch->tree;
        signal_everybody(tree, SIGKILL);
      }
    }
  }
}

}  // namespace belfry::system
