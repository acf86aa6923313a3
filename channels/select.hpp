// Waiting for the first of several things.
//
//   auto rung = on(bell.listener());
//   auto woken = on(wakeup);
//   auto late = at(loop, deadline);
//   std::size_t which = co_await select(ctx, rung, woken, late);
//
// Cases are named objects of the caller: they hold the links, so a select allocates nothing. Among
// several ready cases the choice is fair; the others are left as they were and can be selected again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/detail/cancel_link.hpp"
#include "channels/detail/waiter.hpp"
#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"
#include "channels/wakeup.hpp"

namespace belfry {

// The context was cancelled and no case was ready.
inline constexpr std::size_t select_cancelled = static_cast<std::size_t>(-1);

namespace detail {
class SelectWait;
}

// One thing that a select can wait for.
// Owner: the caller of select. Lifecycle: idle, entered by one select at a time, idle; reusable.
// Must not be destroyed while entered. Cancellation: the select's.
class SelectCase : protected detail::Waiter {
 public:
  virtual ~SelectCase() = default;

 protected:
  friend class detail::SelectWait;

  SelectCase() = default;
  // Takes the thing if it is there, without waiting.
  virtual bool try_take() = 0;
  // Would try_take() succeed? Asked when the context is cancelled.
  virtual bool ready() const noexcept = 0;
  // Enters the waiting list; try_take() said no before. `Waiter::handle` is set.
  virtual void enter() = 0;
  virtual void leave() noexcept = 0;
  // Whether some other side handed something over to this very case (channels do).
  virtual bool granted() const noexcept { return false; }
  virtual bool is_default() const noexcept { return false; }

  detail::SelectWait* select_ = nullptr;  // while entered
};

// A bell that ended, either way. Can be aimed at another bell, or at none (then it is never ready).
class BellCase final : public SelectCase {
 public:
  BellCase() = default;
  explicit BellCase(detail::BellCore& bell) noexcept : bell_(&bell) {}
  ~BellCase() override { BellCase::leave(); }

  template <class T>
  void target(Listener<T> listener) noexcept {
    leave();
    bell_ = &listener.core();
  }
  void reset() noexcept {
    leave();
    bell_ = nullptr;
  }
  bool armed() const noexcept { return bell_ != nullptr; }
  // Precondition: the bell has ended.
  Outcome outcome() const { return bell_->outcome(); }

 private:
  bool try_take() override { return ready(); }
  bool ready() const noexcept override { return bell_ != nullptr && bell_->ended(); }
  void enter() override;
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
  bool ready() const noexcept override { return wakeup_.pending(); }
  void enter() override;
  void leave() noexcept override;

  Wakeup& wakeup_;
  bool entered_ = false;
};

// A moment. Can be set to another one; without one it is never ready.
class TimerCase final : public SelectCase, detail::TimerNode {
 public:
  explicit TimerCase(Loop& loop) noexcept : TimerNode(&TimerCase::expired), loop_(loop) {}
  TimerCase(Loop& loop, TimePoint moment) noexcept : TimerCase(loop) { target(moment); }
  ~TimerCase() override { TimerCase::leave(); }

  void target(TimePoint moment) noexcept {
    leave();
    moment_ = moment;
  }
  void reset() noexcept { target(TimePoint::max()); }
  TimePoint moment() const noexcept { return moment_; }

 private:
  static void expired(TimerNode& node) noexcept;
  bool try_take() override { return ready(); }
  bool ready() const noexcept override { return moment_ != TimePoint::max() && moment_ <= loop_.now(); }
  void enter() override;
  void leave() noexcept override;

  Loop& loop_;
  TimePoint moment_ = TimePoint::max();
};

// The cancellation of another context than the one the select is given.
class ContextCase final : public SelectCase, detail::CancelLink {
 public:
  explicit ContextCase(Context& ctx) noexcept : CancelLink(&ContextCase::context_cancelled), ctx_(ctx) {}
  ~ContextCase() override { ContextCase::leave(); }

 private:
  static void context_cancelled(CancelLink& link, detail::CancelRound& round) noexcept;
  bool try_take() override { return ready(); }
  bool ready() const noexcept override { return ctx_.cancelled(); }
  void enter() override;
  void leave() noexcept override;

  Context& ctx_;
};

// Ready when no other case is: the select then does not wait. A cancelled context comes first.
class DefaultCase final : public SelectCase {
  bool try_take() override { return false; }
  bool ready() const noexcept override { return false; }
  void enter() override {}
  void leave() noexcept override {}
  bool is_default() const noexcept override { return true; }
};

// Never ready: a disabled case that keeps the indices of the others.
class NeverCase final : public SelectCase {
  bool try_take() override { return false; }
  bool ready() const noexcept override { return false; }
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
inline TimerCase after(Loop& loop, Duration duration) noexcept { return {loop, loop.now() + duration}; }
inline DefaultCase otherwise() noexcept { return {}; }
inline NeverCase never() noexcept { return {}; }

namespace detail {

// Owner: the awaiting frame. Lifecycle: one select. Cancellation: by its context, unless a case is
// ready or was granted in the same turn.
class SelectWait : public Waiter, public CancelLink {
 public:
  SelectWait(Context& ctx, std::span<SelectCase* const> cases) noexcept
      : CancelLink(&SelectWait::context_cancelled), ctx_(ctx), cases_(cases) {}
  ~SelectWait() {
    if (handle && !abandoning) leave_all();
  }

  bool await_ready();
  void await_suspend(std::coroutine_handle<> awaiting);
  std::size_t await_resume();

  // For channels: the other side hands over to `winner`. False when this select has its winner.
  bool claim(SelectCase& winner) noexcept {
    if (claimed_ != nullptr) return false;
    claimed_ = &winner;
    return true;
  }
  bool claimed() const noexcept { return claimed_ != nullptr; }

 private:
  static void context_cancelled(CancelLink& link, CancelRound& round) noexcept;
  bool take_one();
  void leave_all() noexcept;

  Context& ctx_;
  std::span<SelectCase* const> cases_;
  SelectCase* claimed_ = nullptr;
  std::size_t winner_ = select_cancelled;
};

template <std::size_t N>
struct CaseArray {
  std::array<SelectCase*, N> cases;
};

template <std::size_t N>
class SelectOf final : CaseArray<N>, public SelectWait {
 public:
  template <class... Cases>
  explicit SelectOf(Context& ctx, Cases&... cases) noexcept
      : CaseArray<N>{{&cases...}}, SelectWait(ctx, CaseArray<N>::cases) {}
};

}  // namespace detail

// The index of the case that was taken, or select_cancelled.
template <class... Cases>
  requires(sizeof...(Cases) > 0 && (std::is_base_of_v<SelectCase, Cases> && ...))
detail::SelectOf<sizeof...(Cases)> select(Context& ctx, Cases&... cases) noexcept {
  return detail::SelectOf<sizeof...(Cases)>(ctx, cases...);
}
// The same for a set whose size is known at run time only; the span's memory must outlive the wait.
inline detail::SelectWait select(Context& ctx, std::span<SelectCase* const> cases) noexcept {
  return {ctx, cases};
}

}  // namespace belfry
