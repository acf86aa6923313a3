// All timers of a loop in one heap, behind one kernel timer.
//
// The problem: one Asio timer per deadline costs an allocation and often a system call, and most
// deadlines are taken back before they come. Here a timer is a node in its owner; arming is O(1),
// taking back is O(log n) amortised and O(1) in the common case, and the loop tells the kernel at
// most once a turn, only when the earliest deadline changed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "channels/time/time.hpp"

namespace belfry {

class Loop;

namespace detail {

// A node of the queue: a pairing heap, ordered by deadline and then by the order of arming.
// Owner: whoever waits. Lifecycle: unarmed, armed, unarmed…; must be unarmed when destroyed.
struct TimerNode {
  using Fire = void (*)(TimerNode&) noexcept;

  explicit TimerNode(Fire f) noexcept : fire(f) {}
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;

  bool armed() const noexcept { return prev != nullptr; }

  TimerNode* child = nullptr;
  TimerNode* next = nullptr;  // sibling
  TimerNode* prev = nullptr;  // previous sibling, or the parent of the first one; the root points at itself
  TimePoint when;
  std::uint64_t order = 0;
  Fire fire;
};

}  // namespace detail

// Owner: the loop. Lifecycle: the loop's. Cancellation: cancel() takes a node out at once.
class TimerQueue {
 public:
  explicit TimerQueue(Loop& loop) noexcept : loop_(loop) {}
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // Arms, or arms anew: a node never fires for a deadline it had before. TimePoint::max(), and what has run
  // over it, is never: nothing is armed then.
  void arm(detail::TimerNode& node, TimePoint when) noexcept;
  void cancel(detail::TimerNode& node) noexcept;

  bool empty() const noexcept { return root_ == nullptr; }
  std::size_t size() const noexcept { return size_; }
  std::optional<TimePoint> earliest() const noexcept {
    return root_ == nullptr ? std::nullopt : std::optional(root_->when);
  }

  // Fires everything due at `now`, in order. Returns how many fired.
  std::size_t fire_due(TimePoint now) noexcept;

 private:
  void detach(detail::TimerNode& node) noexcept;
  void earliest_changed() noexcept;

  Loop& loop_;
  detail::TimerNode* root_ = nullptr;
  std::uint64_t orders_ = 0;
  std::size_t size_ = 0;
};

// A timer that runs a callback in the loop's turn.
// Owner: the user. Lifecycle: armed and re-armed at will; a new deadline replaces the old one.
// Cancellation: cancel(), or destruction.
class Timer final : detail::TimerNode {
 public:
  explicit Timer(Loop& loop) noexcept;
  ~Timer() { cancel(); }

  // At the end of time it is not armed. An empty callback ends the process.
  void arm(TimePoint when, std::move_only_function<void()> callback);
  void cancel() noexcept;
  using TimerNode::armed;

 private:
  static void expired(TimerNode& node) noexcept;

  Loop& loop_;
  std::move_only_function<void()> callback_;
};

}  // namespace belfry
