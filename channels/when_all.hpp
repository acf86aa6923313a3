// Several pieces of work at once, as one: all of their values, or the first one.
//
//   auto both = co_await when_all(ctx, [&](Context& c) { return user(c, id); }, [&](Context& c) { return
//   orders(c, id); }); if (!both) co_return std::unexpected(both.error()); auto& [who, what] = *both;
//
//   auto first = co_await race(ctx, [&](Context& c) { return ask(c, a); }, [&](Context& c) { return ask(c,
//   b); }); if (first) use(first->value);                          // first->index says whose it is
//
// Each piece is a function that is given a context and makes a Task<Result<T>>: the context is a child of ctx
// and ends the others when one has failed (when_all) or won (race). Either returns only after all have ended,
// so that nothing runs on behind the caller's back and references to its locals are safe. The functions are
// kept until then; lambdas with captures are welcome, as long as they call a coroutine and are none
// themselves.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/error_group.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"

namespace belfry {

// What a race has: whose value, and the value.
template <class T>
struct Won {
  std::size_t index = 0;
  T value;
};

namespace detail {

template <class Awaited>
struct WorkValue;
template <class T>
struct WorkValue<Task<Result<T>>> {
  using type = T;
};
template <>
struct WorkValue<Task<Result<void>>> {
  using type = Unit;
};
// The value of a piece of work; Unit for void.
template <class F>
using ValueOf = typename WorkValue<std::invoke_result_t<F&, Context&>>::type;

template <class T>
Task<Result<void>> store(Task<Result<T>> task, std::optional<T>& into) {
  Result<T> result = co_await std::move(task);
  if (!result) co_return std::unexpected(std::move(result.error()));
  into.emplace(std::move(*result));
  co_return Result<void>();
}
inline Task<Result<void>> store(Task<Result<void>> task, std::optional<Unit>& into) {
  Result<void> result = co_await std::move(task);
  if (result) into.emplace();
  co_return result;
}

// Who runs, and how it stands. Owner: the frame of race().
template <class T>
struct RaceState {
  explicit RaceState(Context& parent) : context(parent) {}
  Context context;
  std::optional<Won<T>> won;
  std::size_t failed = 0;
  Error first;
  std::string all;

  void fail(const Error& error) {
    if (failed++ == 0) first = error;
    all.append(all.empty() ? "" : "; ").append(error.text());
  }
};

template <class T>
Task<> run_for(RaceState<T>& state, std::size_t index, Task<Result<void>> task, std::optional<T>& value) {
  try {
    Result<void> ended = co_await std::move(task);
    if (!ended) {
      state.fail(ended.error());
    } else if (!state.won) {
      state.won.emplace(index, std::move(*value));
      state.context.cancel(Error::cancelled("another one was first"));
    }
  } catch (...) {
    state.fail(error_from_exception("race", std::current_exception()));
  }
}

}  // namespace detail

// Result<std::tuple<T…>>: every value (Unit for void); the first error, which cancels the others; or the
// cause of ctx. An exception counts as an error of kind failed.
template <class... F>
Task<Result<std::tuple<detail::ValueOf<F>...>>> when_all(Context& ctx, F... work) {
  std::tuple<std::optional<detail::ValueOf<F>>...> values;
  ErrorGroup group(ctx, ErrorGroup::Policy::first_error_cancels, "when_all");
  std::apply(
      [&](auto&... value) { (spawn(group, "when_all", detail::store(work(group.context()), value)), ...); },
      values);
  Context patience(ctx.loop());  // the group's own context is cut short by ctx; its tasks are waited for
  Result<void> ended = co_await group.wait(patience);
  if (!ended) co_return std::unexpected(std::move(ended.error()));
  co_return std::apply([](auto&... value) { return std::tuple(std::move(*value)...); }, values);
}

// Result<Won<T>>: the first value, all being of one type; the others are cancelled and waited for. When all
// have failed: the error of the only one, or one that names them all, of the kind of the first; or the cause
// of ctx.
template <class First, class... F>
Task<Result<Won<detail::ValueOf<First>>>> race(Context& ctx, First first, F... work) {
  using T = detail::ValueOf<First>;
  static_assert((std::is_same_v<T, detail::ValueOf<F>> && ...), "who races must bring values of one type");
  std::optional<T> values[1 + sizeof...(F)];
  detail::RaceState<T> state(ctx);
  WaitGroup running(ctx.loop(), "race");
  std::size_t index = 0;
  const auto start = [&](Task<Result<void>> task) {
    spawn(running, "race", detail::run_for(state, index, std::move(task), values[index]));
    ++index;
  };
  start(detail::store(first(state.context), values[0]));
  (start(detail::store(work(state.context), values[index])), ...);
  Context patience(ctx.loop());
  (void)co_await running.wait(patience);
  if (state.won) co_return std::move(*state.won);
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
  if (state.failed == 1) co_return std::unexpected(state.first);
  co_return std::unexpected(Error(state.first.kind(), "all of them failed: " + state.all));
}

}  // namespace belfry
