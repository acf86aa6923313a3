// A signal on its way to everybody of a tree, a few processes a turn.
//
// The problem: whoever is in a tree is known by a walk through /proc, and one through ten thousand processes
// takes belfry's loop for half a second. The contract: each piece of work is bounded, everybody is found
// before the first is told (the children of one that has been killed are nobody's), and where SIGKILL meets a
// tree that grows meanwhile, the walk is repeated until it finds nobody new.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "system/process.hpp"
#include "system/tree_walk.hpp"

namespace belfry::system {

// What it takes from who knows the tree.
class TreeKnowledge {
 public:
  // The leader, and whoever else belongs to the tree and may have children below him.
  virtual std::vector<pid_t> roots_of(const TreeId& tree) = 0;
  // To the process group; false: there is none.
  virtual bool signal_group(const TreeId& tree, int signo) = 0;
  // To one who is not in the group.
  virtual bool send(pid_t pid, int signo) = 0;
  // Whether a process was spawned here as somebody else.
  virtual bool leads_another(pid_t pid, const TreeId& tree) = 0;

 protected:
  ~TreeKnowledge() = default;
};

// Owner: ProcessTrees. Lifecycle: done when go_on() says so. Keeps its own copy of what `tree` points to.
class TreeSignal {
 public:
  // In one piece: looks at 256 processes, or as many signals, which is some four milliseconds.
  static constexpr std::size_t piece = 256;

  TreeSignal(TreeKnowledge& knowledge, const TreeId& tree, int signo);
  TreeSignal(const TreeSignal&) = delete;
  TreeSignal& operator=(const TreeSignal&) = delete;

  // One piece of it. True: everybody has been told.
  bool go_on();

  // Its leader was reaped, and his number may be another's: no signal to the group any more, no further walk.
  void leader_is_gone();

  [[nodiscard]] pid_t leader() const { return tree_.leader; }
  [[nodiscard]] int signo() const { return signo_; }
  [[nodiscard]] bool has_found_somebody() const { return found_somebody_; }

 private:
  bool tell(std::size_t& budget);
  [[nodiscard]] bool is_still_of_it(pid_t pid);
  bool begin_next_round();

  TreeKnowledge& knowledge_;
  std::string marker_;
  std::string cgroup_;
  TreeId tree_;
  int signo_;
  int rounds_;
  bool found_somebody_ = false;
  bool group_told_ = false;    // in this round
  bool somebody_new_ = false;  // in this round
  std::size_t told_in_round_ = 0;
  std::unordered_set<pid_t> told_;
  TreeWalk walk_;
};

}  // namespace belfry::system
