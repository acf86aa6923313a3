// Awaiting any Asio operation from a Task.
//
//   auto [ec, n] = co_await async(ctx, socket.async_read_some(buffer, deferred));
//
// `deferred` is Asio's token of that name; asio::deferred is the same where Asio has it (1.24 and later).
//
// The result is the tuple of the operation's completion values; errors are values. A cancelled
// context cancels the operation, which then completes with operation_aborted (or with what it had
// got: a grant beats a cancel). An operation on a cancelled context is not started at all.
#pragma once

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/detail/cancel_link.hpp"
#include "channels/detail/completion_signature.hpp"
#include "channels/detail/die.hpp"
#include "channels/detail/wait_inquiry.hpp"
#include "channels/detail/waiter.hpp"
#include "channels/loop.hpp"

namespace belfry {

namespace detail {

template <class Signature>
struct CompletionValues;
template <class R, class... A>
struct CompletionValues<R(A...)> {
  using Tuple = std::tuple<std::decay_t<A>...>;
};

template <class Tuple>
inline constexpr bool starts_with_error = false;
template <class... Rest>
inline constexpr bool starts_with_error<std::tuple<error_code, Rest...>> =
    (std::is_default_constructible_v<Rest> && ...);

// What the handler and the awaiting frame share; lives in the frame.
template <class Tuple>
struct BridgeState : Waiter {
  explicit BridgeState(Loop& l) noexcept : loop(l) {}
  Loop& loop;
  asio::cancellation_signal signal;
  std::optional<Tuple> result;
  std::uint32_t since = 0;  // Loop::stamp
  bool starting = false;
};

// Given to Asio. Owns nothing: when the loop is torn down the frame goes first, and the handler is
// destroyed with the io_context, or called by one that lives on, and does nothing.
template <class Tuple>
class BridgeHandler {
 public:
  using executor_type = Executor;
  using cancellation_slot_type = asio::cancellation_slot;

  BridgeHandler(BridgeState<Tuple>& state, Executor executor) noexcept
      : state_(&state), executor_(executor), slot_(state.signal.slot()), alive_(state.loop.alive()) {}

  executor_type get_executor() const noexcept { return executor_; }
  cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

  template <class... Args>
  void operator()(Args&&... args) {
    if (!alive_) return;
    state_->signal.slot().clear();
    state_->result.emplace(std::forward<Args>(args)...);
    if (!state_->starting) state_->loop.wake_from_io(*state_);
  }

 private:
  BridgeState<Tuple>* state_;
  Executor executor_;
  asio::cancellation_slot slot_;
  LoopAlive alive_;
};

// Owner: the awaiting frame. Lifecycle: one operation; resumes when its handler ran. Destroyed before
// that only by Loop::abandon. Cancellation: by its context, through Asio's cancellation slot.
template <class Operation>
class Bridge final : public CancelLink {
 public:
  using Tuple = typename CompletionValues<CompletionSignature<Operation>>::Tuple;

  Bridge(Context& ctx, Operation&& operation)
      : CancelLink(&Bridge::context_cancelled),
        ctx_(ctx),
        operation_(std::move(operation)),
        state_(ctx.loop()) {}
  ~Bridge() {
    if (!state_.handle || state_.result) return;
    if (!abandoning) die("destroy an awaited operation", "asio", "it has not completed");
    // A foreign io_context lives on: it must not read into what goes with this frame.
    state_.signal.emit(asio::cancellation_type::terminal);
  }

  bool await_ready() {
    if constexpr (starts_with_error<Tuple>) {
      if (ctx_.cancelled()) {
        state_.result.emplace();
        std::get<0>(*state_.result) = asio::error::operation_aborted;
        return true;
      }
    }
    return false;
  }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    state_.handle = awaiting;
    state_.since = state_.loop.stamp();
    state_.starting = true;
    std::move(operation_)(BridgeHandler<Tuple>(state_, ctx_.loop().executor()));
    state_.starting = false;
    if (state_.result) return false;  // it completed on the spot
    ctx_.enlist(*this);
    if (is_cancelled()) state_.signal.emit(asio::cancellation_type::terminal);
    return true;
  }
  Tuple await_resume() {
    CancelLink::unlink();
    return std::move(*state_.result);
  }

 private:
  static void context_cancelled(CancelLink& link, CancelRound& round) noexcept {
    auto& self = static_cast<Bridge&>(link);
    if (round.inquiry != nullptr)
      return round.inquiry->answer(self.state_.handle, "an Asio operation", self.state_.since);
    if (!self.state_.result) self.state_.signal.emit(asio::cancellation_type::terminal);
  }

  Context& ctx_;
  Operation operation_;
  BridgeState<Tuple> state_;
};

}  // namespace detail

// `operation` is what an Asio initiating function returns for `deferred`. Everything it refers to
// (socket, buffers) must live in the awaiting frame or longer.
template <class Operation>
detail::Bridge<std::decay_t<Operation>> async(Context& ctx, Operation&& operation) {
  std::decay_t<Operation> own(std::forward<Operation>(operation));
  return {ctx, std::move(own)};
}

}  // namespace belfry
