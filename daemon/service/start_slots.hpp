// `limits: {parallel_starts: N}`: how many services may be between their clone and their bell at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "channels/wakeup.hpp"

namespace belfry::daemon {

// Not a semaphore that is waited for: whoever is called looks at its edges first, and starts in that very
// turn or passes the call on. A slot that was kept for somebody whose edges no longer hold would be idle.
//
// Owner: the supervisor.
// Lifecycle: as the services. Those that asked are called in their order.
// Cancellation: forget().
class StartSlots {
 public:
  explicit StartSlots(std::uint32_t limit) : limit_(limit) {}

  // True: the caller has a slot and gives it back. False: its wakeup is called when there may be one.
  bool take(Wakeup& whom) {
    if (limit_ == 0 || used_ < limit_) {
      ++used_;
      forget(whom);
      return true;
    }
    if (std::ranges::find(queue_, &whom) == queue_.end()) queue_.push_back(&whom);
    return false;
  }
  void give_back() {
    --used_;
    call_next();
  }
  // It can't use a slot now.
  void forget(Wakeup& whom) {
    if (queue_.empty()) return;
    const bool was_called = queue_.front() == &whom;
    std::erase(queue_, &whom);
    if (was_called) call_next();
  }
  [[nodiscard]] bool full() const { return limit_ != 0 && used_ >= limit_; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  void call_next() {
    if (!queue_.empty() && !full()) queue_.front()->notify();
  }

  std::uint32_t limit_;  // 0: none
  std::size_t used_ = 0;
  std::deque<Wakeup*> queue_;
};

}  // namespace belfry::daemon
