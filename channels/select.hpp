// Waiting for the first of several things.
//
//   auto rung = on(bell.listener());
//   auto woken = on(wakeup);
//   auto late = at(loop, deadline);
//   std::size_t which = co_await select(ctx, rung, woken, late);
//
// Cases are named objects of the caller: they hold the links, so a select allocates nothing. Among
// several ready cases each is chosen with equal chance, however many cases that are not ready stand between
// them; the others are left as they were and can be selected again.
//
// What comes first, here and in every other wait:
//   1. When a wait begins, what has ended for good is heard, even on a cancelled context: a bell that ended,
//   a
//      task that has, a group at zero, an answer, a context that was cancelled. Hearing it takes nothing
//      away.
//   2. Then the context: cancelled, or past its deadline, it ends the wait. Nothing is taken, and a moment
//   that
//      has passed is not looked at (a loop of late ticks hears its end).
//   3. Then what is there: values, units, notifies, moments that have passed, by chance if there are several.
//   4. When a waiting task is resumed, what is there by then is taken, before a cancel of the same turn,
//      whichever of the two came first. Its next wait begins with 1.
// A deadline that has passed counts from the moment at which a task asks, also in one that never suspends;
// unless it passed before the turn began: then the news that came in time goes first (Loop::horizon).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "channels/context.hpp"
#include "channels/detail/cancel_link.hpp"
#include "channels/detail/waiter.hpp"
#include "channels/select_case.hpp"

namespace belfry {

// The context was cancelled and no case was ready.
inline constexpr std::size_t select_cancelled = static_cast<std::size_t>(-1);

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
  bool take_one(bool cancelled);
  template <class Indices>
  bool take_first_of(Indices indices, bool cancelled);
  void leave_all() noexcept;

  Context& ctx_;
  std::span<SelectCase* const> cases_;
  std::string describe() const;

  SelectCase* claimed_ = nullptr;
  std::size_t winner_ = select_cancelled;
  std::uint32_t since_ = 0;  // Loop::stamp
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
