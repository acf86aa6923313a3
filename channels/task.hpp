// The coroutine type: lazy, move-only, awaited once; control passes by symmetric transfer.
//
//   Task<int> answer(Context& ctx) { co_return 42; }
//   int a = co_await answer(ctx);
//
// A task starts when it is awaited, or when it is handed to spawn(). What it returns or throws is
// built in the frame of the one who awaits it. A capturing lambda must not be a coroutine: its
// captures die with the lambda, the frame does not.
#pragma once

#include <coroutine>
#include <exception>
#include <string_view>
#include <utility>
#include <variant>

#include "channels/detail/compiler.hpp"
#include "channels/detail/die.hpp"
#include "channels/detail/frame_pool.hpp"
#include "channels/detail/root_task.hpp"

namespace belfry {

template <class T = void>
class Task;

namespace detail {

// Where the result of an awaited task is built: in the frame of the one who awaits it.
template <class T>
struct ResultSlot : ResultSlotBase {
  T take() {
    if (auto* thrown = std::get_if<2>(&result)) std::rethrow_exception(std::move(*thrown));
    return std::move(*std::get_if<1>(&result));
  }
  std::variant<std::monostate, T, std::exception_ptr> result;
};

template <>
struct ResultSlot<void> : ResultSlotBase {
  void take() {
    if (thrown) std::rethrow_exception(std::move(thrown));
  }
  std::exception_ptr thrown;
};

template <class T>
struct TaskPromise : Pooled, PromiseCore {
  struct Final {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<TaskPromise> self) noexcept {
      return self.promise().result_slot()->continuation;
    }
    void await_resume() noexcept {}
  };

  Task<T> get_return_object() noexcept;
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  template <class U>
  void return_value(U&& value) {
    value_slot().result.template emplace<1>(std::forward<U>(value));
  }
  void unhandled_exception() noexcept { value_slot().result.template emplace<2>(std::current_exception()); }
  ResultSlot<T>& value_slot() noexcept { return static_cast<ResultSlot<T>&>(*result_slot()); }
};

template <>
struct TaskPromise<void> : Pooled, RootTask {
  struct Final {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<TaskPromise> self) noexcept {
      TaskPromise& promise = self.promise();
      if (!promise.is_root()) return promise.result_slot()->continuation;
      promise.finish(self);
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };

  Task<void> get_return_object() noexcept;
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void return_void() noexcept {}
  void unhandled_exception() noexcept {
    if (is_root()) {
      report(std::current_exception());
    } else {
      static_cast<ResultSlot<void>*>(result_slot())->thrown = std::current_exception();
    }
  }
};

}  // namespace detail

// Owner: the one who holds it; co_await and spawn take it over. Lifecycle: created suspended, runs
// once, its frame goes when the awaiting expression ends. Cancellation: through the Context it was
// given; a Task that was never started can simply be dropped.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() noexcept = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    Task old(std::move(*this));
    handle_ = std::exchange(other.handle_, {});
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

  class Awaiter {
   public:
    explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() { handle_.destroy(); }

    bool await_ready() const noexcept { return false; }
    // Only a Task can await a Task: the chain can be walked up to its root (detail/root_task.hpp).
    template <std::derived_from<detail::PromiseCore> Promise>
    Handle await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
      static_assert(alignof(promise_type) == alignof(detail::PromiseCore));
      slot_.continuation = awaiting;
      handle_.promise().set_result_slot(&slot_);
      return handle_;
    }
    T await_resume() { return slot_.take(); }

   private:
    Handle handle_;
    detail::ResultSlot<T> slot_;
  };

  // Precondition: holds a task that nobody awaited yet.
  Awaiter operator co_await() && noexcept {
    if (!handle_) detail::die("await a task", "", "it was moved away or awaited before");
    return Awaiter(std::exchange(handle_, {}));
  }

  // For spawn(): the caller answers for the frame from here on.
  Handle release() noexcept { return std::exchange(handle_, {}); }

 private:
  friend promise_type;
  explicit Task(Handle handle) noexcept : handle_(handle) {}

  Handle handle_;
};

namespace detail {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace detail

}  // namespace belfry
