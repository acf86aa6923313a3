#include "channels/timer_queue.hpp"

#include <utility>

#include "channels/detail/die.hpp"
#include "channels/loop.hpp"

namespace belfry {

using detail::TimerNode;

namespace {

bool before(const TimerNode& a, const TimerNode& b) noexcept {
  return a.when != b.when ? a.when < b.when : a.order < b.order;
}

// Makes the later of two roots the first child of the earlier one.
TimerNode* meld(TimerNode* a, TimerNode* b) noexcept {
  if (a == nullptr) return b;
  if (b == nullptr) return a;
  if (before(*b, *a)) std::swap(a, b);
  b->prev = a;
  b->next = a->child;
  if (a->child != nullptr) a->child->prev = b;
  a->child = b;
  a->next = nullptr;
  return a;
}

// Melds a row of siblings: in pairs from the left, then the pairs from the right. Without recursion,
// because a row may have a million members.
TimerNode* meld_row(TimerNode* row) noexcept {
  TimerNode* pairs = nullptr;  // linked backwards through `next`
  while (row != nullptr) {
    TimerNode* a = row;
    TimerNode* b = a->next;
    row = b == nullptr ? nullptr : b->next;
    a->next = nullptr;
    if (b != nullptr) b->next = nullptr;
    TimerNode* pair = meld(a, b);
    pair->next = pairs;
    pairs = pair;
  }
  TimerNode* all = nullptr;
  while (pairs != nullptr) {
    TimerNode* rest = pairs->next;
    pairs->next = nullptr;
    all = meld(all, pairs);
    pairs = rest;
  }
  return all;
}

}  // namespace

void TimerQueue::detach(TimerNode& node) noexcept {
  if (&node == root_) {
    root_ = meld_row(node.child);
    if (root_ != nullptr) root_->prev = root_;
  } else {
    if (node.prev->child == &node) {
      node.prev->child = node.next;
    } else {
      node.prev->next = node.next;
    }
    if (node.next != nullptr) node.next->prev = node.prev;
    if (TimerNode* rest = meld_row(node.child)) {
      root_ = meld(root_, rest);
      root_->prev = root_;
    }
  }
  node.child = node.next = node.prev = nullptr;
  --size_;
}

void TimerQueue::earliest_changed() noexcept { loop_.request_turn(); }

void TimerQueue::arm(TimerNode& node, TimePoint when) noexcept {
  when = in_time(when);
  if (when == TimePoint::max()) {
    cancel(node);
    node.when = when;
    return;
  }
  const TimerNode* earliest = root_;
  if (node.armed()) detach(node);
  node.when = when;
  node.order = orders_++;
  node.prev = &node;
  root_ = meld(root_, &node);
  root_->prev = root_;
  ++size_;
  if (root_ != earliest || root_ == &node) earliest_changed();
}

void TimerQueue::cancel(TimerNode& node) noexcept {
  if (!node.armed()) return;
  const bool was_earliest = &node == root_;
  detach(node);
  if (was_earliest) earliest_changed();
}

std::size_t TimerQueue::fire_due(TimePoint now) noexcept {
  std::size_t fired = 0;
  const std::uint64_t armed_before = orders_;  // what a callback arms now waits for the next call
  while (root_ != nullptr && root_->when <= now && root_->order < armed_before) {
    TimerNode& node = *root_;
    detach(node);
    ++fired;
    node.fire(node);
  }
  return fired;
}

Timer::Timer(Loop& loop) noexcept : TimerNode(&Timer::expired), loop_(loop) {}

void Timer::arm(TimePoint when_due, std::move_only_function<void()> callback) {
  if (!callback) detail::die("arm a timer", "", "it was given nothing to do");
  callback_ = std::move(callback);
  loop_.timers().arm(*this, when_due);
}

void Timer::cancel() noexcept { loop_.timers().cancel(*this); }

void Timer::expired(TimerNode& node) noexcept {
  auto callback = std::move(static_cast<Timer&>(node).callback_);
  Loop& loop = static_cast<Timer&>(node).loop_;
  try {
    callback();  // may re-arm or destroy the timer
  } catch (...) {
    loop.broke("callback", "of a timer", std::current_exception());
  }
}

}  // namespace belfry
