#include "system/process_trees.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "channels/loop.hpp"
#include "system/cgroup_files.hpp"
#include "system/proc.hpp"

namespace belfry::system {

namespace {

constexpr auto patience = std::chrono::milliseconds(5);

// How long a tree is not taken for empty because of somebody who does not tell whose he is, and because of
// somebody who could not be looked at for the crowd. An execve takes microseconds.
constexpr auto longest_doubt = std::chrono::milliseconds(250);
constexpr auto longest_crowd = std::chrono::seconds(5);

}  // namespace

void ProcessTrees::look() {
  orphans_.look(loop_.now(), [this](pid_t pid) { return reaper_->owns(pid); });
}

std::vector<pid_t> ProcessTrees::orphans_of(const TreeId& tree) {
  std::vector<pid_t> found;
  for (pid_t orphan : orphans_.all()) {
    if (orphans_.kinship(orphan, tree) == Kinship::yes) found.push_back(orphan);
  }
  return found;
}

bool ProcessTrees::has_undecided(const TreeId& tree) {
  return std::ranges::any_of(
      orphans_.all(), [&](pid_t orphan) { return orphans_.kinship(orphan, tree) == Kinship::undecided; });
}

// Also when none of it may be signalled. As long as there is somebody in it, its number is nobody else's.
bool ProcessTrees::group_is_there(const TreeId& tree) { return syscalls_.kill(-tree.leader, 0) != -ESRCH; }

// Ancestry counts only as a snapshot: whoever is reached from the leader or from an attributed orphan.
std::vector<pid_t> ProcessTrees::roots_of(const TreeId& tree) {
  look();
  std::vector<pid_t> roots = orphans_of(tree);
  if (reaper_->owns(tree.leader)) roots.insert(roots.begin(), tree.leader);
  if (tree.cgroup.empty()) return roots;
  const std::unordered_set<pid_t> known(roots.begin(), roots.end());
  for (const pid_t pid : cgroup::pids_in(tree.cgroup)) {
    if (!known.contains(pid)) roots.push_back(pid);
  }
  return roots;
}

bool ProcessTrees::leads_another(pid_t pid, const TreeId& tree) {
  return pid != tree.leader && reaper_->owns(pid);
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
  if (!orphans_.visible()) return group_is_there(tree) && send(-tree.leader, signo);
  bool present =
      std::ranges::any_of(orphans_.all(), [&](pid_t orphan) { return orphans_.in_group(orphan, tree); });
  return present && send(-tree.leader, signo);
}

bool ProcessTrees::signal_everybody(const TreeId& tree, int signo) {
  // Also whom it has just forked. Who fled from it is an orphan once it is gone, and looked for then.
  if (signo == SIGKILL && !tree.cgroup.empty() && cgroup::is_populated(tree.cgroup) &&
      cgroup::kill_all(tree.cgroup))
    return true;
  const auto same_tree = [&](const auto& one) { return one->leader() == tree.leader; };
  if (const auto before = std::ranges::find_if(under_way_, same_tree); before != under_way_.end()) {
    if ((*before)->signo() == SIGKILL || (*before)->signo() == signo) return true;
    under_way_.erase(before);
  }
  auto signal = std::make_unique<TreeSignal>(static_cast<TreeKnowledge&>(*this), tree, signo);
  const bool somebody = signal->has_found_somebody();
  if (!signal->go_on()) {
    under_way_.push_back(std::move(signal));
    if (!go_on_.linked()) loop_.wake_afterwards(go_on_);
  }
  return somebody || (!orphans_.visible() && group_is_there(tree));
}

// One piece of one of them in each turn.
void ProcessTrees::go_on_with_signals() {
  const Work work(loop_.meter(), "signals to a large tree");
  if (under_way_.empty()) return;
  std::unique_ptr<TreeSignal> signal = std::move(under_way_.front());
  under_way_.pop_front();
  if (!signal->go_on()) under_way_.push_back(std::move(signal));
  if (!under_way_.empty()) loop_.wake_afterwards(go_on_);
}

bool ProcessTrees::signal(const TreeId& tree, int signo, Scope scope) {
  switch (scope) {
    case Scope::leader: return reaper_->owns(tree.leader) && send(tree.leader, signo);
    case Scope::group: return signal_group(tree, signo);
    case Scope::tree: break;
  }
  Watch* watch = watches_.find(tree.leader);
  if (watch != nullptr && signo == SIGKILL) {
    watch->condemned = true;
    if (!ended_.empty()) request_settle();  // also to whom this look may not reach
  }
  return signal_everybody(tree, signo);
}

bool ProcessTrees::alive(const TreeId& tree) {
  return reaper_->owns(tree.leader) || !survivors(tree).empty() || has_undecided(tree);
}

// Thousands may have ended and wait to be reaped: of a child of ours that is one question to the kernel.
bool ProcessTrees::is_zombie_of_ours(pid_t pid) {
  siginfo_t info{};
  const int got =
      syscalls_.waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT, nullptr);
  return got == 0 && info.si_pid == pid;
}

std::vector<Survivor> ProcessTrees::survivors(const TreeId& tree) {
  std::vector<pid_t> roots = roots_of(tree);
  std::erase_if(roots, [&](pid_t pid) { return pid != tree.leader && is_zombie_of_ours(pid); });
  std::vector<Survivor> left = proc::some_below(std::move(roots));
  if (!orphans_.visible() && left.empty() && group_is_there(tree))
    left.push_back({.pid = tree.leader, .name = "and what is left of its process group"});
  mark_refused(left);
  return left;
}

void ProcessTrees::mark_refused(std::vector<Survivor>& survivors) {
  for (Survivor& survivor : survivors) {
    if (syscalls_.kill(survivor.pid, 0) == -EPERM) survivor.refused = EPERM;
  }
}

std::vector<Survivor> ProcessTrees::strays() {
  reaper_->sweep();
  look();
  std::vector<pid_t> nobodys = orphans_.all();
  watches_.each([&](pid_t, Watch& watch) {
    std::erase_if(nobodys,
                  [&](pid_t orphan) { return orphans_.kinship(orphan, watch.tree) == Kinship::yes; });
  });
  return proc::some_below(std::move(nobodys));
}

void ProcessTrees::watch(const TreeId& tree, TreeWatcher& watcher) {
  Watch& watch = watches_[tree.leader];
  watch.tree = tree;  // asked again: once condemned, it stays so
  watch.watcher = &watcher;
  if (!tree.cgroup.empty() && watch.cgroup_watch < 0) watch.cgroup_watch = cgroups_.add(tree.cgroup);
  if (reaper_->owns(tree.leader)) return reaper_->expect(tree.leader);
  if (std::ranges::find(ended_, tree.leader) == ended_.end()) ended_.push_back(tree.leader);
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
  std::erase_if(under_way_, [leader](const auto& signal) { return signal->leader() == leader; });
}

void ProcessTrees::on_cgroup_changed() {
  if (!ended_.empty()) request_settle();
}

void ProcessTrees::reaped(pid_t pid, bool known) {
  if (!known) orphans_.forget(pid);
  if (known && watches_.find(pid) != nullptr)
    ended_.push_back(pid);
  else if (known)
    tell_signals_that_it_is_gone(pid);
  if (!ended_.empty()) request_settle();
}

void ProcessTrees::tell_signals_that_it_is_gone(pid_t leader) {
  for (const auto& signal : under_way_) {
    if (signal->leader() == leader) signal->leader_is_gone();
  }
}

void ProcessTrees::request_settle() {
  if (!settle_.linked()) loop_.wake(settle_);
}

// Whose each orphan is, asked once of each however many trees wait.
ProcessTrees::Doubts ProcessTrees::attribute(const std::vector<pid_t>& candidates) {
  std::unordered_multimap<std::string_view, Watch*> by_marker;
  std::unordered_multimap<ino_t, Watch*> by_pipe;
  for (const pid_t leader : candidates) {
    Watch* watch = watches_.find(leader);
    if (watch == nullptr) continue;
    watch->inhabited = false;
    if (!watch->tree.marker.empty()) by_marker.emplace(watch->tree.marker, watch);
    if (watch->tree.log_pipe != 0) by_pipe.emplace(watch->tree.log_pipe, watch);
  }
  const auto inhabit = [](auto range) {
    for (auto it = range.first; it != range.second; ++it) it->second->inhabited = true;
    return range.first != range.second;
  };
  using Environment = Orphans::Facts::Environment;
  Doubts doubts;
  for (const pid_t orphan : orphans_.all()) {
    const Orphans::Facts* facts = orphans_.facts(orphan);
    if (facts == nullptr) continue;
    bool known = false;
    for (const pid_t leader : {facts->group, facts->session}) {
      Watch* watch = watches_.find(leader);
      if (watch != nullptr) watch->inhabited = known = true;
    }
    if (known) continue;
    if (!by_marker.empty()) orphans_.learn_environment(orphan);
    if (!facts->marker.empty() && inhabit(by_marker.equal_range(facts->marker))) continue;
    if (!by_pipe.empty()) orphans_.learn_pipes(orphan);
    for (const ino_t pipe : facts->pipes) known = inhabit(by_pipe.equal_range(pipe)) || known;
    if (known) continue;
    const bool unread = (!by_marker.empty() && facts->environment == Environment::unread) ||
                        (!by_pipe.empty() && !facts->pipes_read);
    if (!unread && facts->environment != Environment::undecided) continue;
    ++(unread ? doubts.unread : doubts.undecided);
    doubts.look_again = std::min(doubts.look_again, orphans_.look_again_at(*facts));
  }
  return doubts;
}

bool ProcessTrees::is_empty(Watch& watch, const Doubts& doubts) {
  if (!watch.tree.cgroup.empty() && cgroup::is_populated(watch.tree.cgroup)) return false;
  if (!orphans_.visible()) return !group_is_there(watch.tree);
  if (watch.inhabited) {
    watch.doubted_since = TimePoint::max();  // the next doubt has its whole time again
    return false;
  }
  if (doubts.unread + doubts.undecided == 0) return true;
  const TimePoint now = loop_.now();
  watch.doubted_since = std::min(watch.doubted_since, now);
  const Duration longest = doubts.unread > 0 ? Duration(longest_crowd) : Duration(longest_doubt);
  return now - watch.doubted_since >= longest;
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
  const Doubts doubts = orphans_.all().empty() ? Doubts{} : attribute(candidates);
  for (pid_t leader : candidates) {
    Watch* watch = watches_.find(leader);
    if (watch == nullptr) continue;  // taken out by an earlier callback of this round
    if (orphans_.all().empty()) watch->inhabited = false;
    if (is_empty(*watch, doubts)) {
      TreeWatcher* watcher = watch->watcher;
      forget(leader);
      if (ledger_ != nullptr) ledger_->remove(leader);
      watcher->on_tree_empty(leader);
    } else {
      ended_.push_back(leader);
      if (watch->condemned && (watch->inhabited || !orphans_.visible() || !watch->tree.cgroup.empty())) {
        TreeId tree = watch->tree;
        signal_everybody(tree, SIGKILL);
      }
    }
  }
  if (!ended_.empty() && doubts.look_again != TimePoint::max())
    doubt_.arm(doubts.look_again, [this] { request_settle(); });
}

}  // namespace belfry::system
