// What a select can wait for: bells, wake-ups, moments, other contexts. Channels have their own file.
#pragma once

#include <cstddef>
#include <string>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/detail/cancel_link.hpp"
#include "channels/detail/waiter.hpp"
#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"
#include "channels/wakeup.hpp"

namespace belfry {

namespace detail {
class SelectWait;
}

// One thing that a select can wait for.
// Owner: the caller of select. Lifecycle: idle, entered by one select at a time, idle; reusable.
// Destroying it while a select waits with it ends the process. Cancellation: the select's.
class SelectCase : protected detail::Waiter {
 public:
  virtual ~SelectCase() {
    if (select_ != nullptr && !detail::abandoning && !waits_on_->abandoned()) [[unlikely]]
      detail::die("destroy case", "of a select", "the select still waits with it");
  }

 protected:
  friend class detail::SelectWait;

  SelectCase() = default;
  // Takes the thing if it is there, without waiting.
  virtual bool try_take() = 0;
  // Enters the waiting list; try_take() said no before. `Waiter::handle` is set.
  virtual void enter() = 0;
  virtual void leave() noexcept = 0;
  // Has it ended for good, so that hearing it takes nothing away? Other cases are not looked at on a context
  // that is cancelled already, so that a busy channel cannot hide a cancel.
  virtual bool heard_when_cancelled() const noexcept { return false; }
  virtual bool is_default() const noexcept { return false; }
  // What it waits for, for the dump of all tasks; empty: nothing.
  virtual std::string describe() const { return {}; }

  detail::SelectWait* select_ = nullptr;  // while entered
  Loop* waits_on_ = nullptr;              // set with it
};

// A bell that ended, either way. Can be aimed at another bell, or at none (then it is never ready).
class BellCase final : public SelectCase {
 public:
  BellCase() = default;
  explicit BellCase(detail::BellCore& bell) noexcept : bell_(&bell) {}
  ~BellCase() override { BellCase::leave(); }

  // Also while a select waits with this case: it then waits for the new bell.
  template <class T>
  void target(Listener<T> listener) noexcept {
    aim(&listener.core());
  }
  void reset() noexcept { aim(nullptr); }
  bool armed() const noexcept { return bell_ != nullptr; }
  // Precondition: the bell has ended.
  Outcome outcome() const { return bell_->outcome(); }

 private:
  void aim(detail::BellCore* bell) noexcept {
    leave();
    bell_ = bell;
    if (select_ != nullptr) enter();
  }
  bool try_take() override { return bell_ != nullptr && bell_->ended(); }
  bool heard_when_cancelled() const noexcept override { return true; }
  std::string describe() const override {
    return bell_ == nullptr ? std::string() : detail::named("bell", bell_->name);
  }
  void enter() noexcept override;
  void leave() noexcept override;

  detail::BellCore* bell_ = nullptr;
  bool entered_ = false;
};

// A wake-up; taking it consumes the notifies.
class WakeupCase final : public SelectCase {
 public:
  explicit WakeupCase(Wakeup& wakeup) noexcept : wakeup_(wakeup) {}
  ~WakeupCase() override { WakeupCase::leave(); }

 private:
  bool try_take() override { return wakeup_.consume(); }
  std::string describe() const override { return detail::named("wakeup", wakeup_.place().name); }
  void enter() override;
  void leave() noexcept override;

  Wakeup& wakeup_;
  bool entered_ = false;
};

// A moment. Can be set to another one; without one it is never ready.
class TimerCase final : public SelectCase, detail::TimerNode {
 public:
  enum class Until : bool { now, heard };  // the clock has reached it, or Loop::horizon has

  explicit TimerCase(Loop& loop) noexcept : TimerNode(&TimerCase::expired), loop_(loop) {}
  TimerCase(Loop& loop, TimePoint moment, Until until = Until::now) noexcept : TimerCase(loop) {
    until_ = until;
    target(moment);
  }
  ~TimerCase() override { TimerCase::leave(); }

  // Also while a select waits with this case.
  void target(TimePoint moment) noexcept {
    leave();
    moment_ = in_time(moment);
    if (select_ != nullptr) enter();
  }
  void reset() noexcept { target(TimePoint::max()); }
  TimePoint moment() const noexcept { return moment_; }

 private:
  static void expired(TimerNode& node) noexcept;
  bool try_take() override {
    return moment_ != TimePoint::max() && moment_ <= (until_ == Until::heard ? loop_.horizon() : loop_.now());
  }
  std::string describe() const override {
    return moment_ == TimePoint::max() ? std::string() : detail::describe_moment(loop_, moment_);
  }
  void enter() noexcept override;
  void leave() noexcept override;

  Loop& loop_;
  TimePoint moment_ = TimePoint::max();
  Until until_ = Until::now;
};

// The cancellation of another context than the one the select is given.
class ContextCase final : public SelectCase, detail::CancelLink {
 public:
  explicit ContextCase(Context& ctx) noexcept : CancelLink(&ContextCase::context_cancelled), ctx_(ctx) {}
  ~ContextCase() override { ContextCase::leave(); }

 private:
  static void context_cancelled(CancelLink& link, detail::CancelRound& round) noexcept;
  bool try_take() override { return ctx_.cancelled(); }
  bool heard_when_cancelled() const noexcept override { return true; }
  std::string describe() const override { return "the end of a context"; }
  void enter() override;
  void leave() noexcept override;

  Context& ctx_;
};

// Ready when no other case is: the select then does not wait. A cancelled context comes first.
class DefaultCase final : public SelectCase {
  bool try_take() override { return false; }
  void enter() override {}
  void leave() noexcept override {}
  bool is_default() const noexcept override { return true; }
};

// Never ready: a disabled case that keeps the indices of the others.
class NeverCase final : public SelectCase {
  bool try_take() override { return false; }
  void enter() override {}
  void leave() noexcept override {}
};

template <class T>
BellCase on(Listener<T> listener) noexcept {
  return BellCase(listener.core());
}
template <class T>
BellCase on(Bell<T>& bell) noexcept {
  return BellCase(bell.listener().core());
}
inline WakeupCase on(Wakeup& wakeup) noexcept { return WakeupCase(wakeup); }
inline ContextCase on(Context& ctx) noexcept { return ContextCase(ctx); }
inline TimerCase at(Loop& loop, TimePoint moment) noexcept { return {loop, moment}; }
inline TimerCase after(Loop& loop, Duration duration) noexcept {
  return {loop, saturating_add(loop.now(), duration)};
}
// The moment by which somebody had to be heard: ready when everything that had arrived by then has been taken
// in (Loop::horizon), so that the news which came in time is known before anybody is judged.
inline TimerCase by(Loop& loop, TimePoint deadline) noexcept {
  return {loop, deadline, TimerCase::Until::heard};
}
inline DefaultCase otherwise() noexcept { return {}; }
inline NeverCase never() noexcept { return {}; }

}  // namespace belfry
