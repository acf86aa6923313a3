#include "system/tree_signal.hpp"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

// A fork tree grows while it is walked; each round kills the generation that the last one missed.
constexpr int rounds_of_kill = 8;

}  // namespace

TreeSignal::TreeSignal(TreeKnowledge& knowledge, const TreeId& tree, int signo)
    : knowledge_(knowledge),
      marker_(tree.marker),
      cgroup_(tree.cgroup),
      tree_{.leader = tree.leader, .marker = marker_, .log_pipe = tree.log_pipe, .cgroup = cgroup_},
      signo_(signo),
      rounds_(signo == SIGKILL ? rounds_of_kill : 1),
      walk_(knowledge.roots_of(tree)) {
  found_somebody_ = !walk_.found().empty();
}

void TreeSignal::leader_is_gone() {
  group_told_ = true;
  rounds_ = 1;
}

bool TreeSignal::go_on() {
  std::size_t budget = piece;
  do {
    if (!walk_.go_on(budget) || !tell(budget)) return false;
  } while (begin_next_round());
  return true;
}

bool TreeSignal::tell(std::size_t& budget) {
  if (!std::exchange(group_told_, true)) knowledge_.signal_group(tree_, signo_);
  const std::vector<pid_t>& everybody = walk_.found();
  for (; told_in_round_ < everybody.size() && budget > 0; --budget) {
    const pid_t pid = everybody[told_in_round_++];
    if (!told_.insert(pid).second) continue;
    somebody_new_ = found_somebody_ = true;
    if (::getpgid(pid) != tree_.leader && is_still_of_it(pid)) knowledge_.send(pid, signo_);
  }
  return told_in_round_ == everybody.size();
}

// A process has a parent in the tree, or is an orphan that came to us. One that /proc hides may be told, too.
bool TreeSignal::is_still_of_it(pid_t pid) {
  if (knowledge_.leads_another(pid, tree_)) return false;
  const auto parent = proc::parent_of(pid);
  return !parent || walk_.has_found(*parent) || *parent == ::getpid();
}

bool TreeSignal::begin_next_round() {
  if (!std::exchange(somebody_new_, false) || --rounds_ <= 0) return false;
  walk_ = TreeWalk(knowledge_.roots_of(tree_));
  group_told_ = false;
  told_in_round_ = 0;
  return true;
}

}  // namespace belfry::system
