#include "system/tree_walk.hpp"

#include <utility>

#include "system/proc.hpp"

namespace belfry::system {

TreeWalk::TreeWalk(std::vector<pid_t> roots)
    : found_(std::move(roots)), seen_(found_.begin(), found_.end()) {}

bool TreeWalk::go_on(std::size_t& budget) {
  for (; asked_ < found_.size() && budget > 0; --budget) {
    for (const pid_t child : proc::children_of(found_[asked_++])) {
      if (seen_.insert(child).second) found_.push_back(child);
    }
  }
  return asked_ == found_.size();
}

}  // namespace belfry::system
