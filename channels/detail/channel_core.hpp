// The part of a channel that knows the rules, and the two waits at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "channels/detail/die.hpp"
#include "channels/detail/frame_pool.hpp"
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

// What becomes of a send: the value was sent, or it comes back with the reason.
// Owner: the one who sent. Lifecycle: a value's.
template <class T>
class [[nodiscard]] Sent {
 public:
  Sent() noexcept = default;
  Sent(Error why, T value) noexcept : error_(std::move(why)), value_(std::move(value)) {}

  bool has_value() const noexcept { return error_.empty(); }
  explicit operator bool() const noexcept { return has_value(); }
  const Error& error() const noexcept { return error_; }
  // The value that was not sent, once; empty when it was.
  std::optional<T> take_back() { return std::exchange(value_, std::nullopt); }
  // NOLINTNEXTLINE(google-explicit-constructor): for those who have no use for the value
  operator Result<void>() const {
    if (has_value()) return {};
    return std::unexpected(error_);
  }

 private:
  Error error_;
  std::optional<T> value_;
};

// What is told of its end, and by whom, when it is dropped unread: a question answers its asker.
template <class T>
concept Refusable = requires(T& value, const Error& why) { value.refuse(why); };

template <class T>
class ChannelCore;

// What the ends of a channel share: how many there are, and whether their channel still is. A loop that was
// abandoned lets channels go before their ends.
// Owner: the channel and the ends together. Lifecycle: from the first end to the last of them all.
template <class T>
struct ChannelEnds : Pooled {
  ChannelCore<T>* core = nullptr;
  std::size_t count = 0;
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
    if (ends_ == nullptr) return;
    if (ends_->count != 0 && !loop().abandoned() && !abandoning)
      die("destroy channel", name(), "an end of it is still there: a Sender or Receiver must not outlive it");
    ends_->core = nullptr;
    if (ends_->count == 0) delete ends_;
  }

  bool closed() const noexcept { return closed_; }
  std::size_t size() const noexcept { return buffer_.size(); }
  std::size_t capacity() const noexcept { return buffer_.capacity(); }
  const char* name() const noexcept { return senders_.name; }
  Loop& loop() const noexcept { return *senders_.loop; }
  ChannelEnds<T>& ends() {
    if (ends_ == nullptr) {
      ends_ = new ChannelEnds<T>;
      ends_->core = this;
    }
    return *ends_;
  }
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

  bool close(Error cause = {}) noexcept {
    if (closed_) return false;
    closed_ = true;
    cause_ = std::move(cause);
    loop().wake_all(receivers_.waiters);
    loop().wake_all(senders_.waiters);
    return true;
  }

  // Closes, and drops what nobody has received: whoever can be told is told why.
  std::size_t refuse(const Error& cause) {
    close(cause);
    std::size_t dropped = 0;
    for (; !buffer_.empty(); ++dropped) {
      T value = buffer_.pop();
      if constexpr (Refusable<T>) value.refuse(closed_error("answer what was sent to"));
    }
    return dropped;
  }

  Error closed_error(const char* what) const {
    std::string text = std::string("cannot ") + what + " channel '" + name() + "': it is closed";
    if (cause_.empty()) return Error::closed(std::move(text));
    return Error(Error::Kind::closed, std::move(text), cause_);
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
  Error cause_;  // of the close
  ChannelEnds<T>* ends_ = nullptr;
  bool closed_ = false;
};

// What a Sender and a Receiver are: counted by the channel, which must not go before them.
// Owner: whoever holds the end. Lifecycle: nil, or of a channel; copied at will.
template <class T>
class ChannelEnd {
 public:
  ChannelEnd() noexcept = default;
  explicit ChannelEnd(ChannelCore<T>& core) : ends_(&core.ends()) { ++ends_->count; }
  ChannelEnd(const ChannelEnd& other) noexcept : ends_(other.ends_) {
    if (ends_ != nullptr) ++ends_->count;
  }
  ChannelEnd(ChannelEnd&& other) noexcept : ends_(std::exchange(other.ends_, nullptr)) {}
  ChannelEnd& operator=(ChannelEnd other) noexcept {
    std::swap(ends_, other.ends_);
    return *this;
  }
  ~ChannelEnd() {
    if (ends_ != nullptr && --ends_->count == 0 && ends_->core == nullptr) delete ends_;
  }

  explicit operator bool() const noexcept { return ends_ != nullptr; }
  // Null for the nil end.
  ChannelCore<T>* core() const noexcept { return ends_ == nullptr ? nullptr : ends_->core; }

 protected:
  // Nobody may do anything with a nil end but select it: it ends the process.
  ChannelCore<T>& of_channel(const char* what) const noexcept {
    if (core() == nullptr) [[unlikely]]
      die(what, "nil", ends_ == nullptr ? "this end was never given a channel" : "its channel is gone");
    return *ends_->core;
  }

 private:
  ChannelEnds<T>* ends_ = nullptr;
};

// Owner: the awaiting frame. Lifecycle: one send. Cancellation: by its context, unless a receiver has
// taken the value in the same turn. What was not taken comes back.
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
  Sent<T> await_resume() {
    this->resumed();
    if (this->met) return {};
    if (this->is_cancelled()) return {this->cancel_cause(), std::move(*this->value)};
    return {core_.closed_error("send on"), std::move(*this->value)};
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
