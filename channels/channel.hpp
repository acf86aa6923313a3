// Values from task to task: with a buffer, or without one as a rendezvous.
//
// Without a buffer sender and receiver meet: send() returns when somebody took the value. With one,
// send() waits only while it is full. close() lets receivers drain what is buffered and then ends
// them; sending afterwards is an error value. Only the owner can close: the ends cannot, by type.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "channels/detail/channel_core.hpp"
#include "channels/error.hpp"

namespace belfry {

template <class T>
class Channel;
template <class T>
class Sender;
template <class T>
class Receiver;

// Owner: one task or object, the only one that may close it; must outlive its ends.
// Lifecycle: open, closed, drained. Destroying it while a task waits at it ends the process with its
// name; values still buffered are dropped. Cancellation: of a send or a receive, never of the channel.
template <class T>
class Channel {
 public:
  // Capacity 0: a rendezvous. The buffer is allocated here, once.
  Channel(Loop& loop, std::size_t capacity, const char* name) : core_(loop, capacity, name) {}

  // Result<void>: ok when it was taken or buffered; kind closed; or the cause of ctx (the value is
  // dropped then). On a cancelled context nothing is sent.
  detail::SendWait<T> send(Context& ctx, T value) { return {core_, ctx, std::move(value)}; }
  // Result<T>: a value; kind closed when closed and drained; or the cause of ctx.
  //   while (Result<T> item = co_await channel.receive(ctx)) use(*item);
  detail::ReceiveWait<T> receive(Context& ctx) { return {core_, ctx}; }

  // False when it would have to wait or is closed; `value` is moved from only on success.
  bool try_send(T& value) { return !core_.closed() && core_.try_send(value); }
  bool try_send(T&& value) { return try_send(value); }
  std::optional<T> try_receive() {
    std::optional<T> value;
    core_.try_receive(value);
    return value;
  }

  // Ends senders and, when drained, receivers. False when it was closed before.
  bool close() noexcept { return core_.close(); }
  bool closed() const noexcept { return core_.closed(); }
  std::size_t size() const noexcept { return core_.size(); }
  std::size_t capacity() const noexcept { return core_.capacity(); }

  Sender<T> sender() noexcept { return Sender<T>(*this); }
  Receiver<T> receiver() noexcept { return Receiver<T>(*this); }
  detail::ChannelCore<T>& core() noexcept { return core_; }

 private:
  detail::ChannelCore<T> core_;
};

// May send; can neither receive nor close. Default-constructed it is the nil end: never ready in a
// select, and nothing else may be done with it.
template <class T>
class Sender {
 public:
  Sender() noexcept = default;
  explicit Sender(Channel<T>& channel) noexcept : core_(&channel.core()) {}
  detail::SendWait<T> send(Context& ctx, T value) const { return {*core_, ctx, std::move(value)}; }
  bool try_send(T& value) const { return !core_->closed() && core_->try_send(value); }
  bool closed() const noexcept { return core_->closed(); }
  explicit operator bool() const noexcept { return core_ != nullptr; }
  detail::ChannelCore<T>* core() const noexcept { return core_; }

 private:
  detail::ChannelCore<T>* core_ = nullptr;
};

// May receive; can neither send nor close. Default-constructed it is the nil end.
template <class T>
class Receiver {
 public:
  Receiver() noexcept = default;
  explicit Receiver(Channel<T>& channel) noexcept : core_(&channel.core()) {}
  detail::ReceiveWait<T> receive(Context& ctx) const { return {*core_, ctx}; }
  std::optional<T> try_receive() const {
    std::optional<T> value;
    core_->try_receive(value);
    return value;
  }
  bool closed() const noexcept { return core_->closed(); }
  explicit operator bool() const noexcept { return core_ != nullptr; }
  detail::ChannelCore<T>* core() const noexcept { return core_; }

 private:
  detail::ChannelCore<T>* core_ = nullptr;
};

}  // namespace belfry
