// Work that would hold up the loop (a compression, a call that blocks) in a thread of its own.
//
//   Result<std::string> packed = co_await run_blocking(ctx, [bytes] { return gzip(bytes); });
//
// The problem: everything here runs on one thread, and what takes long holds up everybody. The thread shares
// nothing with the loop: what the work needs is moved into the function, and its answer comes back through a
// mailbox.
//
// A thread cannot be ended from outside. A cancel asks it to stop (a function that takes a std::stop_token
// hears of it); the caller goes on when it has, because what the function refers to must not go before. When
// the loop is torn down the thread is asked, and waited for. Signals are blocked in the thread.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/mailbox.hpp"
#include "channels/select.hpp"
#include "channels/task.hpp"

namespace belfry {

namespace detail {

// Owner: the frame of the one who waits. Lifecycle: runs from construction; the destructor asks and joins.
class HelperThread {
 public:
  HelperThread(const Mailbox& mailbox, Ringer<> done, std::move_only_function<void(std::stop_token)> work);
  ~HelperThread();
  HelperThread(const HelperThread&) = delete;
  HelperThread& operator=(const HelperThread&) = delete;
  void request_stop() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <class F>
auto call_with(F& function, const std::stop_token& token) {
  if constexpr (std::is_invocable_v<F&, std::stop_token>) {
    return function(token);
  } else {
    return function();
  }
}
template <class F>
using BlockingValue = decltype(call_with(std::declval<F&>(), std::stop_token()));

template <class T>
struct BlockingResult {
  using type = Result<T>;
};
template <class T>
struct BlockingResult<Result<T>> {
  using type = Result<T>;
};

}  // namespace detail

// Result: what `function` returned (a Result as it is); or the cause of ctx, when it was cancelled before the
// function had returned. What the function throws is thrown here.
template <class F>
Task<typename detail::BlockingResult<detail::BlockingValue<F>>::type> run_blocking(Context& ctx, F function) {
  using T = detail::BlockingValue<F>;
  using Answer = std::conditional_t<std::is_void_v<T>, Unit, T>;
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
  std::optional<Answer> answer;
  std::exception_ptr thrown;
  Bell<> done(ctx.loop(), "blocking work");
  Mailbox mailbox(ctx.loop());
  detail::HelperThread thread(mailbox, done.ringer(), [&](const std::stop_token& token) {
    try {
      if constexpr (std::is_void_v<T>) {
        detail::call_with(function, token);
        answer.emplace();
      } else {
        answer.emplace(detail::call_with(function, token));
      }
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  Outcome ended = co_await done.wait(ctx);
  if (ended.cancelled()) {
    thread.request_stop();
    Context patience(ctx.loop());
    (void)co_await done.wait(patience);
  }
  if (thrown) std::rethrow_exception(thrown);
  if (ended.cancelled()) co_return std::unexpected(std::move(ended.cause));
  if constexpr (std::is_void_v<T>) {
    co_return Result<void>();
  } else {
    co_return std::move(*answer);
  }
}

}  // namespace belfry
