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
#include <span>
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
  bool take_one(bool levels_only);
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
