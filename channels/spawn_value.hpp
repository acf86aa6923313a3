// A task whose value its handle gives.
//
//   ValueHandle<int> sum = spawn(loop, "sum", add_up(ctx, numbers));
//   …
//   Result<int> total = co_await sum.join(ctx);
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "channels/error.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"

namespace belfry {

namespace detail {

// What a join gives: a task that answers with a Result is not wrapped into another one.
template <class T>
struct JoinResult {
  using type = Result<T>;
};
template <class T>
struct JoinResult<Result<T>> {
  using type = Result<T>;
};

template <class T>
Task<> keep_value(Task<T> task, std::optional<T>& value) {
  value.emplace(co_await std::move(task));
}

}  // namespace detail

// Owner: the one who spawned. Lifecycle, moving, cancellation: as TaskHandle. The value is taken once.
template <class T>
class [[nodiscard]] ValueHandle {
 public:
  ValueHandle(Loop& loop, std::string_view name, Task<T> task)
      : value_(std::make_unique<std::optional<T>>()),
        task_(spawn(loop, name, detail::keep_value(std::move(task), *value_))) {}

  using Joined = typename detail::JoinResult<T>::type;
  // Result: the value that the task returned (or its error, when it returned a Result); kind failed when it
  // threw; or the cause of ctx, which leaves the task alone.
  Task<Joined> join(Context& ctx) {
    Result<void> ended = co_await task_.join(ctx);
    if (!ended) co_return std::unexpected(std::move(ended.error()));
    co_return std::move(**value_);
  }
  bool done() const noexcept { return task_.done(); }
  std::string_view name() const noexcept { return task_.name(); }
  // For a select, on(handle.task()); the join that follows does not wait.
  TaskHandle& task() noexcept { return task_; }

 private:
  std::unique_ptr<std::optional<T>> value_;  // stays where it is when the handle moves
  TaskHandle task_;
};

// As spawn(loop, name, Task<void>).
template <class T>
  requires(!std::is_void_v<T>)
ValueHandle<T> spawn(Loop& loop, std::string_view name, Task<T> task) {
  return ValueHandle<T>(loop, name, std::move(task));
}

}  // namespace belfry
