// Who may start now: `limits: {parallel_starts: N}` between their clone and their bell at once, and no more
// in a row than leaves time for everybody else.
//
// A clone takes a part of a millisecond, and a thousand services may come to be able to start in one turn: a
// health check, an exit or a bell would wait until the last of them has begun. So the starts of a turn have a
// share of time; who comes when it is used up starts after what I/O brought meanwhile.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_set>

#include "channels/loop.hpp"
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
  static constexpr Duration share = std::chrono::milliseconds(2);

  StartSlots(Loop& loop, std::uint32_t limit) : loop_(loop), limit_(limit) {}
  StartSlots(const StartSlots&) = delete;
  StartSlots& operator=(const StartSlots&) = delete;

  // True: the caller may get ready for its start, and take a slot. False: its wakeup is called when there is
  // time again.
  bool has_time_for(Wakeup& whom) {
    const TimePoint now = loop_.now();
    if (share_ends_ == TimePoint::min()) begin_share(now);
    if (now < share_ends_) return true;
    join(whom);
    return false;
  }
  // True: the caller has a slot and gives it back. False: its wakeup is called when there may be one.
  bool take(Wakeup& whom) {
    if (full()) {
      join(whom);
      return false;
    }
    ++used_;
    forget(whom);
    return true;
  }
  void give_back() {
    --used_;
    call_next();
  }
  // It can't use a slot now.
  void forget(Wakeup& whom) {
    if (queued_.erase(&whom) == 0) return;
    if (queue_.front() != &whom) {
      std::erase(queue_, &whom);
      return;
    }
    queue_.pop_front();
    call_next();
  }
  [[nodiscard]] bool full() const { return limit_ != 0 && used_ >= limit_; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  void join(Wakeup& whom) {
    if (queued_.insert(&whom).second) queue_.push_back(&whom);
  }
  void call_next() {
    if (!queue_.empty() && !full()) queue_.front()->notify();
  }
  // Until the end of the turn that follows this one: it deals with what I/O brought.
  void begin_share(TimePoint now) {
    share_ends_ = saturating_add(now, share);
    at_the_end_of_a_turn([this] { at_the_end_of_a_turn([this] { end_share(); }); });
  }
  void end_share() {
    share_ends_ = TimePoint::min();
    call_next();
  }
  template <class F>
  void at_the_end_of_a_turn(F callback) {
    loop_.afterwards([callback, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) callback();
    });
  }

  Loop& loop_;
  std::uint32_t limit_;  // 0: none
  std::size_t used_ = 0;
  TimePoint share_ends_ = TimePoint::min();  // min: nobody has started lately
  std::deque<Wakeup*> queue_;
  std::unordered_set<Wakeup*> queued_;  // the same ones
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace belfry::daemon
