// This library and asio::awaitable in one program.
//
//   theirs from ours:  auto [thrown, n] = co_await async(ctx, co_spawn(executor, their_function(),
//   deferred)); ours from theirs:  int n = co_await start(root, "ours", [&](Context& ctx) { return
//   our_function(ctx); },
//                                             asio::use_awaitable);
//
// A Loop(io_context&) lives on the io_context of such a program and is driven by whoever runs that, on one
// thread.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"

namespace belfry {

namespace detail {

template <class T>
struct TaskValue;
template <class T>
struct TaskValue<Task<T>> {
  using type = T;
};
template <class F>
using StartedValue = typename TaskValue<std::invoke_result_t<F&, Context&>>::type;

template <class T>
struct StartedSignature {
  using type = void(std::exception_ptr, T);
};
template <>
struct StartedSignature<void> {
  using type = void(std::exception_ptr);
};

// A task of ours that somebody of Asio's waits for.
// Owner: its own frame. Lifecycle: until it has answered, or its loop is torn down; the handler is then
// destroyed without being called, as Asio does it. Cancellation: the handler's slot, and the parent.
template <class Handler, class F>
struct Started {
  using T = StartedValue<F>;
  using Value = std::conditional_t<std::is_void_v<T>, std::tuple<>, std::optional<T>>;

  Started(Context& parent, Handler h, F w)
      : context(parent), handler(std::move(h)), work(std::move(w)), alive(asio::make_work_guard(executor())) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
      slot.assign(
          [this](asio::cancellation_type) { context.cancel(Error::cancelled("cancelled by its caller")); });
  }
  using HandlerExecutor = typename asio::associated_executor<Handler, Executor>::type;
  HandlerExecutor executor() const {
    return asio::get_associated_executor(handler, context.loop().executor());
  }

  static Task<> run(std::unique_ptr<Started> self) {
    std::exception_ptr thrown;
    Value value{};
    try {
      if constexpr (std::is_void_v<T>) {
        co_await self->work(self->context);
      } else {
        value.emplace(co_await self->work(self->context));
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    asio::get_associated_cancellation_slot(self->handler).clear();
    if constexpr (std::is_void_v<T>) {
      asio::post(self->executor(),
                 [handler = std::move(self->handler), thrown]() mutable { std::move(handler)(thrown); });
    } else {
      asio::post(self->executor(),
                 [handler = std::move(self->handler), thrown, value = std::move(value)]() mutable {
                   std::move(handler)(thrown, value ? std::move(*value) : T());
                 });
    }
  }

  Context context;
  Handler handler;
  F work;
  asio::executor_work_guard<HandlerExecutor> alive;
};

}  // namespace detail

// Runs the task that `work` makes of a context (a child of `parent`) and completes with what it returned or
// threw: void(std::exception_ptr, T), T being default-constructible. To be called on the loop's thread.
// `name` must live as long as the task.
template <class F, class CompletionToken>
auto start(Context& parent, std::string_view name, F work, CompletionToken&& token) {
  using Signature = typename detail::StartedSignature<detail::StartedValue<F>>::type;
  return asio::async_initiate<CompletionToken, Signature>(
      [&parent, name]<class Handler>(Handler&& handler, F function) {
        using Started = detail::Started<std::decay_t<Handler>, F>;
        Context& context = parent;
        spawn(context.loop(), name,
              Started::run(
                  std::make_unique<Started>(context, std::forward<Handler>(handler), std::move(function))))
            .leave_to_loop();
      },
      token, std::move(work));
}

}  // namespace belfry
