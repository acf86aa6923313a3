// The processes below some, found a few at a time: each of them costs five calls of the kernel (some 15 µs),
// and a service may have ten thousand.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <unordered_set>
#include <vector>

namespace belfry::system {

// Ancestry is a snapshot that takes a while: whoever is forked behind the walk is missed, and found by the
// next one.
class TreeWalk {
 public:
  explicit TreeWalk(std::vector<pid_t> roots);

  // Asks at most as many as `budget` says for their children, and takes what that was from it. True:
  // everybody has been asked.
  bool go_on(std::size_t& budget);

  // The roots first, and parents before their children.
  [[nodiscard]] const std::vector<pid_t>& found() const { return found_; }
  [[nodiscard]] bool has_found(pid_t pid) const { return seen_.contains(pid); }

 private:
  std::vector<pid_t> found_;
  std::unordered_set<pid_t> seen_;
  std::size_t asked_ = 0;
};

}  // namespace belfry::system
