// Every subscriber gets every value, and a slow one loses its oldest instead of slowing the others.
//
// The problem: who publishes must not wait for the slowest of those who read, and must not keep without bound
// what that one has not read yet.
//
// Each subscription has a bounded buffer of its own. When it is full the newest value is let in and
// the oldest goes; the subscriber is told how many it missed with the next value it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "channels/detail/name.hpp"
#include "channels/detail/ring_buffer.hpp"
#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/intrusive_list.hpp"

namespace belfry {

template <class T>
class Subscription;
template <class T>
class SubscriptionCase;

// Owner: the one who publishes; the only one that closes. Lifecycle: open, closed. Subscriptions may
// outlive it: they drain, then end. Cancellation: none; publishing never waits.
template <class T>
class Broadcast {
 public:
  Broadcast(Loop& loop, const char* name) noexcept : loop_(loop), name_(detail::keep_name(name)) {}
  ~Broadcast() {
    close();
    detail::release_name(name_);
  }
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;

  // Copies the value for each subscriber (share it by pointer when that is dear).
  void publish(const T& value) {
    for (Subscription<T>* s = first(); s != nullptr; s = subscribers_.after(*s)) s->push(value);
  }
  void close() noexcept {
    closed_ = true;
    while (!subscribers_.empty()) subscribers_.pop_front().end();
  }
  bool closed() const noexcept { return closed_; }
  bool has_subscribers() const noexcept { return !subscribers_.empty(); }

 private:
  friend class Subscription<T>;
  Subscription<T>* first() noexcept { return subscribers_.empty() ? nullptr : &subscribers_.front(); }

  Loop& loop_;
  const char* name_;
  IntrusiveList<Subscription<T>> subscribers_;
  bool closed_ = false;
};

// A value, and how many before it were lost to a full buffer.
template <class T>
struct Received {
  T value;
  std::uint64_t missed = 0;
};

// Owner: the reader. Lifecycle: subscribed from construction (it sees what is published later),
// until it is destroyed or the broadcast closes and the buffer is drained. One reader waits at a time.
// Cancellation: of a next(); what is buffered stays.
template <class T>
class Subscription final : public IntrusiveLink {
 public:
  // A capacity of 0, which could hold no value, ends the process with the name of the broadcast.
  Subscription(Broadcast<T>& broadcast, std::size_t capacity)
      : place_(broadcast.loop_, broadcast.name_), buffer_(capacity), ended_(broadcast.closed_) {
    if (capacity == 0) detail::die("subscribe to", place_.name, "a buffer of 0 holds nothing");
    if (!ended_) broadcast.subscribers_.push_back(*this);
  }
  ~Subscription() { place_.assert_quiet("destroy subscription to"); }

  class Next final : public detail::Wait<Next> {
   public:
    Next(Subscription& subscription, Context& ctx) noexcept
        : detail::Wait<Next>(subscription.place_, ctx), from_(subscription) {}
    bool await_ready() noexcept {
      if (this->is_cancelled()) return true;
      return granted();
    }
    void await_suspend(std::coroutine_handle<> awaiting) noexcept {
      if (from_.place_.outstanding != 0)
        detail::die("wait for broadcast", from_.place_.name, "another task waits already");
      waited_ = true;
      this->suspend(awaiting);
    }
    Result<Received<T>> await_resume() {
      this->resumed();
      if (!from_.buffer_.empty() && (waited_ || !this->is_cancelled())) return from_.take();
      if (this->is_cancelled()) return std::unexpected(this->cancel_cause());
      return std::unexpected(from_.closed_error());
    }
    bool granted() const noexcept { return !from_.buffer_.empty() || from_.ended_; }
    std::string describe() const { return detail::named("broadcast", from_.place_.name); }

   private:
    Subscription& from_;
    bool waited_ = false;
  };
  // Result<Received<T>>: the next value; kind closed at the end; or the cause of ctx.
  Next next(Context& ctx) noexcept { return {*this, ctx}; }
  std::optional<Received<T>> try_next() {
    if (buffer_.empty()) return std::nullopt;
    return take();
  }
  std::size_t buffered() const noexcept { return buffer_.size(); }

 private:
  friend class Broadcast<T>;
  friend class SubscriptionCase<T>;
  Error closed_error() const {
    return Error::closed(std::string("broadcast '") + place_.name + "' is closed");
  }
  void push(const T& value) {
    if (buffer_.full()) {
      (void)buffer_.pop();
      ++missed_;
    }
    buffer_.push(value);
    place_.loop->wake_all(place_.waiters);
  }
  void end() noexcept {
    ended_ = true;
    place_.loop->wake_all(place_.waiters);
  }
  Received<T> take() { return {buffer_.pop(), std::exchange(missed_, 0)}; }

  detail::WaitingPlace place_;
  detail::RingBuffer<T> buffer_;
  std::uint64_t missed_ = 0;
  bool ended_;
};

}  // namespace belfry
