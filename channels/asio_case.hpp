// Any Asio operation as a case of a select.
//
//   auto got = operation(loop, socket.async_read_some(buffer, deferred));
//   auto late = after(loop, 5s);
//   if (co_await select(ctx, got, late) == 0) { auto [ec, n] = got.take(); … }
//
// The operation starts when a select looks at the case for the first time. When another case wins it goes on,
// and can be selected again; what it has got by then is not lost.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "channels/asio_bridge.hpp"
#include "channels/detail/frame_pool.hpp"
#include "channels/select_case.hpp"

namespace belfry {

namespace detail {

// What hears that an operation has completed, as long as it is there.
class CompletionListener {
 public:
  virtual void completed() noexcept = 0;

 protected:
  ~CompletionListener() = default;
};

// What the handler and the case share: Asio may keep the handler for longer than the case lives.
// Owner: both. Lifecycle: until both have let go.
template <class Tuple>
struct SharedOperation : Pooled {
  explicit SharedOperation(CompletionListener& l) noexcept : listener(&l) {}
  void let_go() noexcept {
    if (--users == 0) delete this;
  }

  int users = 1;
  CompletionListener* listener;
  asio::cancellation_signal signal;
  std::optional<Tuple> result;
};

template <class Tuple>
class SharedHandler {
 public:
  using executor_type = Executor;
  using cancellation_slot_type = asio::cancellation_slot;

  SharedHandler(SharedOperation<Tuple>& shared, Executor executor) noexcept
      : shared_(&shared), executor_(executor), slot_(shared.signal.slot()) {
    ++shared.users;
  }
  SharedHandler(SharedHandler&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)), executor_(other.executor_), slot_(other.slot_) {}
  SharedHandler& operator=(SharedHandler&&) = delete;
  ~SharedHandler() {
    if (shared_ != nullptr) shared_->let_go();
  }

  executor_type get_executor() const noexcept { return executor_; }
  cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

  template <class... Args>
  void operator()(Args&&... args) {
    shared_->signal.slot().clear();
    shared_->result.emplace(std::forward<Args>(args)...);
    if (shared_->listener != nullptr) shared_->listener->completed();
  }

 private:
  SharedOperation<Tuple>* shared_;
  Executor executor_;
  asio::cancellation_slot slot_;
};

}  // namespace detail

// Owner: the caller of select. Lifecycle: idle, under way, completed, taken; begin() gives it another one.
// Destroyed while it is under way it cancels the operation and forgets it. What the operation refers to (its
// socket, its buffers) must then still be there: declare it before the case. A composed operation
// (async_read, async_write) is better cancelled and awaited: cancel(), and a select until it is ready.
// Cancellation: a cancelled select leaves it under way; cancel() ends it with operation_aborted.
template <class Operation>
class OperationCase final : public SelectCase, detail::CompletionListener {
 public:
  using Tuple = typename detail::CompletionValues<detail::CompletionSignature<Operation>>::Tuple;

  OperationCase(Loop& loop, Operation operation) : loop_(loop), operation_(std::move(operation)) {}
  ~OperationCase() override { forget(); }

  // After this case won, once: the operation's completion values.
  Tuple take() {
    Tuple values = std::move(*shared_->result);
    release();
    return values;
  }
  // Another one of the same kind. Precondition: the one before was taken.
  void begin(Operation operation) { operation_.emplace(std::move(operation)); }
  bool under_way() const noexcept { return shared_ != nullptr && !shared_->result; }
  void cancel() noexcept {
    operation_.reset();
    if (under_way()) shared_->signal.emit(asio::cancellation_type::terminal);
  }

 private:
  bool try_take() override {
    if (operation_) start();
    return shared_ != nullptr && shared_->result.has_value();
  }
  void start() {
    Operation operation = std::move(*operation_);
    operation_.reset();
    shared_ = new detail::SharedOperation<Tuple>(*this);
    std::move(operation)(detail::SharedHandler<Tuple>(*shared_, loop_.executor()));
  }
  std::string describe() const override { return "an Asio operation"; }
  void enter() override { entered_ = true; }
  void leave() noexcept override {
    entered_ = false;
    Waiter::unlink();
  }
  void completed() noexcept override {
    if (entered_) loop_.wake_from_io(*this);
  }
  void forget() noexcept {
    if (shared_ == nullptr) return;
    shared_->listener = nullptr;
    // On the way out of a loop what the operation uses may be gone already; it ends with it.
    if (!shared_->result && !detail::abandoning) shared_->signal.emit(asio::cancellation_type::terminal);
    release();
  }
  void release() noexcept { std::exchange(shared_, nullptr)->let_go(); }

  Loop& loop_;
  std::optional<Operation> operation_;
  detail::SharedOperation<Tuple>* shared_ = nullptr;
  bool entered_ = false;
};

template <class Operation>
OperationCase<std::decay_t<Operation>> operation(Loop& loop, Operation&& what) {
  std::decay_t<Operation> own(std::forward<Operation>(what));
  return {loop, std::move(own)};
}

}  // namespace belfry
