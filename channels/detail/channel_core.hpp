// The part of a channel that knows the rules, and the two waits at it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "channels/detail/ring_buffer.hpp"
#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/select.hpp"

namespace belfry::detail {

// A task that stands at a channel: a plain send or receive, or a case of a select.
template <class T>
struct ChannelWaiter : Waiter {
  SelectCase* select_case = nullptr;  // and its select, when it is one
  SelectWait* select = nullptr;
  std::optional<T> value;  // to send, or received
  bool met = false;        // the other side took or gave

  // The other side decided for this one. False when it is a select that has its winner.
  bool claim() noexcept {
    if (select != nullptr && !select->claim(*select_case)) return false;
    met = true;
    return true;
  }
};

// Owner: the channel. Lifecycle: open, closed. Cancellation: of those who stand at it.
template <class T>
class ChannelCore {
 public:
  ChannelCore(Loop& loop, std::size_t capacity, const char* name)
      : senders_(loop, name), receivers_(loop, name), buffer_(capacity) {}
  ~ChannelCore() {
    senders_.assert_quiet("destroy channel");
    receivers_.assert_quiet("destroy channel");
  }

  bool closed() const noexcept { return closed_; }
  std::size_t size() const noexcept { return buffer_.size(); }
  std::size_t capacity() const noexcept { return buffer_.capacity(); }
  const char* name() const noexcept { return senders_.name; }
  Loop& loop() const noexcept { return *senders_.loop; }
  WaitingPlace& senders() noexcept { return senders_; }
  WaitingPlace& receivers() noexcept { return receivers_; }

  // Moves from `value` and returns true, or leaves it alone. Precondition: not closed.
  bool try_send(T& value) {
    if (ChannelWaiter<T>* receiver = next(receivers_)) {
      receiver->value.emplace(std::move(value));
      loop().wake(*receiver);
      return true;
    }
    if (buffer_.full()) return false;
    buffer_.push(std::move(value));
    return true;
  }

  // Fills `slot` and returns true; false when nothing is there (now, or ever if closed).
  bool try_receive(std::optional<T>& slot) {
    if (!buffer_.empty()) {
      slot.emplace(buffer_.pop());
      if (ChannelWaiter<T>* sender = next(senders_)) {
        buffer_.push(std::move(*sender->value));
        loop().wake(*sender);
      }
      return true;
    }
    ChannelWaiter<T>* sender = next(senders_);
    if (sender == nullptr) return false;
    slot.emplace(std::move(*sender->value));
    loop().wake(*sender);
    return true;
  }

  bool close() noexcept {
    if (closed_) return false;
    closed_ = true;
    loop().wake_all(receivers_.waiters);
    loop().wake_all(senders_.waiters);
    return true;
  }

  Error closed_error(const char* what) const {
    return Error::closed(std::string("cannot ") + what + " channel '" + name() + "': it is closed");
  }

 private:
  // The first one who waits at this end and is still to be had.
  static ChannelWaiter<T>* next(WaitingPlace& end) noexcept {
    while (!end.waiters.empty()) {
      auto& waiter = static_cast<ChannelWaiter<T>&>(end.waiters.pop_front());
      if (waiter.claim()) return &waiter;
    }
    return nullptr;
  }

  WaitingPlace senders_;
  WaitingPlace receivers_;
  RingBuffer<T> buffer_;
  bool closed_ = false;
};

// Owner: the awaiting frame. Lifecycle: one send. Cancellation: by its context, unless a receiver has
// taken the value in the same turn.
template <class T>
class SendWait final : public Wait<SendWait<T>, ChannelWaiter<T>> {
  using Base = Wait<SendWait<T>, ChannelWaiter<T>>;

 public:
  SendWait(ChannelCore<T>& core, Context& ctx, T value) : Base(core.senders(), ctx), core_(core) {
    this->value.emplace(std::move(value));
  }
  bool await_ready() {
    if (this->is_cancelled() || core_.closed()) return true;
    this->met = core_.try_send(*this->value);
    return this->met;
  }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { this->suspend(awaiting); }
  Result<void> await_resume() {
    this->resumed();
    if (this->met) return {};
    if (this->is_cancelled()) return std::unexpected(this->cancel_cause());
    return std::unexpected(core_.closed_error("send on"));
  }
  bool granted() const noexcept { return this->met || core_.closed(); }
  std::string describe() const { return "room in " + named("channel", core_.name()); }

 private:
  ChannelCore<T>& core_;
};

// The same for receiving.
template <class T>
class ReceiveWait final : public Wait<ReceiveWait<T>, ChannelWaiter<T>> {
  using Base = Wait<ReceiveWait<T>, ChannelWaiter<T>>;

 public:
  ReceiveWait(ChannelCore<T>& core, Context& ctx) : Base(core.receivers(), ctx), core_(core) {}
  bool await_ready() {
    if (this->is_cancelled()) return true;
    return core_.try_receive(this->value) || core_.closed();
  }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { this->suspend(awaiting); }
  Result<T> await_resume() {
    this->resumed();
    if (this->value) return std::move(*this->value);
    if (this->is_cancelled()) return std::unexpected(this->cancel_cause());
    return std::unexpected(core_.closed_error("receive from"));
  }
  bool granted() const noexcept { return this->met || core_.closed(); }
  std::string describe() const { return "a value from " + named("channel", core_.name()); }

 private:
  ChannelCore<T>& core_;
};

}  // namespace belfry::detail
