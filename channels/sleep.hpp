// Waiting for a time, or for others to have their turn.
#pragma once

#include <algorithm>

#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/timer_queue.hpp"

namespace belfry {

namespace detail {

// Owner: the awaiting frame. Lifecycle: one sleep. Cancellation: by its context, which frees the timer.
class Sleep final : public Waiter, public CancelLink, public TimerNode {
 public:
  Sleep(Context& ctx, TimePoint until) noexcept
      : CancelLink(&Sleep::context_cancelled), TimerNode(&Sleep::expired), loop_(ctx.loop()) {
    when = in_time(until);
    ctx.enlist(*this);
  }
  ~Sleep() { stop_timer(); }

  bool await_ready() noexcept {
    if (is_cancelled()) return true;
    done_ = when <= loop_.now();
    return done_;
  }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle = awaiting;
    since_ = loop_.stamp();
    loop_.timers().arm(*this, when);
  }
  Result<void> await_resume() noexcept {
    CancelLink::unlink();
    // What has come by the time of the resumption is taken, whichever of the two was first.
    if (done_ || (handle && when <= loop_.now())) return {};
    return std::unexpected(cancel_cause());
  }

 private:
  static void expired(TimerNode& node) noexcept {
    auto& self = static_cast<Sleep&>(node);
    self.done_ = true;
    if (!self.Waiter::linked()) self.loop_.wake(self);
  }
  static void context_cancelled(CancelLink& link, CancelRound& round) noexcept {
    auto& self = static_cast<Sleep&>(link);
    if (round.inquiry != nullptr) {
      if (self.handle)
        round.inquiry->answer(self.handle, describe_moment(round.loop, self.when), self.since_);
      return;
    }
    if (self.done_ || !self.handle) return;
    self.stop_timer();
    round.loop.wake(self);
  }
  void stop_timer() noexcept {
    if (armed()) loop_.timers().cancel(*this);
  }

  Loop& loop_;
  std::uint32_t since_ = 0;
  bool done_ = false;
};

}  // namespace detail

// Result<void>: ok at or after `when`, or the cause of ctx. Does not suspend for a time in the past. Until
// the end of time (TimePoint::max(), Duration::max()) only a cancel ends it.
inline detail::Sleep sleep_until(Context& ctx, TimePoint when) noexcept { return {ctx, when}; }
inline detail::Sleep sleep_for(Context& ctx, Duration duration) noexcept {
  return {ctx, saturating_add(ctx.loop().now(), std::max(duration, Duration::zero()))};
}

namespace detail {

class NextRound : public Waiter {
 public:
  explicit NextRound(Loop& loop) noexcept : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle = awaiting;
    loop_.wake(*this);
  }
  void await_resume() const noexcept {}

 protected:
  Loop& loop_;
};

class EndOfTurn final : public NextRound {
 public:
  using NextRound::NextRound;
  void await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle = awaiting;
    loop_.wake_afterwards(*this);
  }
};

}  // namespace detail

// Lets everything else that is ready go first. Not a wait: it ends by itself, cancelled or not.
inline detail::NextRound yield(Loop& loop) noexcept { return detail::NextRound(loop); }

// The same, and whatever becomes ready by it as well: goes on when nobody has anything to do, or when
// the turn has become long; once a turn.
inline detail::EndOfTurn yield_to_all(Loop& loop) noexcept { return detail::EndOfTurn(loop); }

}  // namespace belfry
