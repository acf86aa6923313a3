// Values from task to task: with a buffer, or without one as a rendezvous.
//
// Without a buffer sender and receiver meet: send() returns when somebody took the value. With one,
// send() waits only while it is full. close() lets receivers drain what is buffered and then ends
// them; sending afterwards is an error value. Only the owner can close: the ends cannot, by type.
// A value that was not sent, because of a cancel or a close, comes back to the one who sent it.
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

using detail::Sent;

// Owner: one task or object, the only one that may close it; must outlive its ends.
// Lifecycle: open, closed, drained. Destroying it while a task waits at it, or while a Sender or a Receiver
// of it is there, ends the process with its name; values still buffered are dropped. Closing it twice is
// harmless: the first cause stays. Closing it while tasks wait releases them in the coming turn.
// Cancellation: of a send or a receive, never of the channel.
template <class T>
class Channel {
 public:
  // Capacity 0: a rendezvous. The buffer is allocated here, once.
  Channel(Loop& loop, std::size_t capacity, const char* name) : core_(loop, capacity, name) {}

  // Sent<T>, which is a Result<void> to those who have no use for more: ok when it was taken or buffered;
  // kind closed; or the cause of ctx. Unless it is ok, take_back() has the value. On a cancelled context
  // nothing is sent.
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

  // Ends senders and, when drained, receivers. False when it was closed before. With a cause, those who come
  // to the end are told it.
  bool close(Error cause = {}) noexcept { return core_.close(std::move(cause)); }
  // For an end that nobody drains: closes, and drops what is buffered; who waits for the answer to a Request
  // among it is told the cause. Returns how many were dropped.
  std::size_t refuse(const Error& cause) { return core_.refuse(cause); }
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
// select; to do anything else with it ends the process. Owner: whoever sends; goes before the channel.
template <class T>
class Sender : public detail::ChannelEnd<T> {
 public:
  Sender() noexcept = default;
  explicit Sender(Channel<T>& channel) noexcept : detail::ChannelEnd<T>(channel.core()) {}
  detail::SendWait<T> send(Context& ctx, T value) const {
    return {this->of_channel("send on"), ctx, std::move(value)};
  }
  bool try_send(T& value) const {
    auto& core = this->of_channel("send on");
    return !core.closed() && core.try_send(value);
  }
  bool closed() const noexcept { return this->of_channel("ask").closed(); }
};

// May receive; can neither send nor close. Default-constructed it is the nil end, as above.
template <class T>
class Receiver : public detail::ChannelEnd<T> {
 public:
  Receiver() noexcept = default;
  explicit Receiver(Channel<T>& channel) noexcept : detail::ChannelEnd<T>(channel.core()) {}
  detail::ReceiveWait<T> receive(Context& ctx) const { return {this->of_channel("receive from"), ctx}; }
  std::optional<T> try_receive() const {
    std::optional<T> value;
    this->of_channel("receive from").try_receive(value);
    return value;
  }
  bool closed() const noexcept { return this->of_channel("ask").closed(); }
};

}  // namespace belfry
