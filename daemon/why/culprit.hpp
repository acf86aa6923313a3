// From whoever waits to the root of it: the walk over what waits for what. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "daemon/why/facts.hpp"

namespace belfry::daemon {

// The way from a service down to the one that is to blame, both of them included. Of several that it waits
// for, the one that will not come right by itself comes first.
class Culprits {
 public:
  explicit Culprits(const StackFacts& stack);

  // Services, the asked one first.
  [[nodiscard]] std::vector<std::size_t> way_from(std::size_t service) const;
  [[nodiscard]] std::size_t of(std::size_t service) const { return way_from(service).back(); }
  // How the one before it on a way came to it; null: it is nobody's.
  [[nodiscard]] const WaitFacts* wait_of(std::size_t service) const { return next_[service]; }
  // 0: the worst that can be.
  [[nodiscard]] int rank(std::size_t service) const { return rank_[service]; }

 private:
  void settle(std::size_t service);

  const StackFacts& stack_;
  std::vector<const WaitFacts*> next_;  // null: it is a culprit itself
  std::vector<int> rank_;               // of the culprit that it leads to
};

}  // namespace belfry::daemon
