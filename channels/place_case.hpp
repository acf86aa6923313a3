// Answers, groups, tasks and subscriptions as cases of a select.
//
//   auto answered = on(reply);     auto over = on(worker.stopped());
//   switch (co_await select(ctx, answered, over)) { case 0: use(answered.take()); … }
#pragma once

#include <string>
#include <utility>

#include "channels/broadcast.hpp"
#include "channels/request.hpp"
#include "channels/select_case.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

namespace belfry {

namespace detail {

// A case that stands in the waiting list of one primitive. Owner, lifecycle, cancellation: as SelectCase.
class PlaceCase : public SelectCase {
 public:
  ~PlaceCase() override { stand_back(); }

 protected:
  explicit PlaceCase(WaitingPlace& place) noexcept : place_(&place) {}
  void enter() override {
    place_->waiters.push_back(*this);
    ++place_->outstanding;
    entered_ = true;
  }
  void leave() noexcept override { stand_back(); }

  WaitingPlace* place_;

 private:
  void stand_back() noexcept {
    Waiter::unlink();
    if (std::exchange(entered_, false) && !abandoning) --place_->outstanding;
  }
  bool entered_ = false;
};

}  // namespace detail

// Ready when the answer is there, or when the question was dropped.
template <class T>
class ReplyCase final : public detail::PlaceCase {
 public:
  explicit ReplyCase(Reply<T>& reply) noexcept : PlaceCase(reply.place_), reply_(reply) {}
  // After this case won, once: the answer, the worker's error, or kind refused when it was dropped.
  Result<T> take() {
    if (reply_.result_) return *std::exchange(reply_.result_, std::nullopt);
    return std::unexpected(reply_.nothing_to_wait_for());
  }

 private:
  bool try_take() override { return reply_.result_.has_value() || !reply_.can_come(); }
  std::string describe() const override { return detail::named("reply", place_->name); }
  bool heard_when_cancelled() const noexcept override { return true; }

  Reply<T>& reply_;
};

// Ready when a value is there, or when the broadcast is closed and all is read. One reader at a time.
template <class T>
class SubscriptionCase final : public detail::PlaceCase {
 public:
  explicit SubscriptionCase(Subscription<T>& subscription) noexcept
      : PlaceCase(subscription.place_), from_(subscription) {}
  // After this case won: the next value, or kind closed.
  Result<Received<T>> take() {
    if (from_.buffer_.empty()) return std::unexpected(from_.closed_error());
    return from_.take();
  }

 private:
  bool try_take() override { return !from_.buffer_.empty() || from_.ended_; }
  std::string describe() const override { return detail::named("broadcast", place_->name); }
  void enter() override {
    if (place_->outstanding != 0)
      detail::die("wait for broadcast", place_->name, "another task waits already");
    PlaceCase::enter();
  }

  Subscription<T>& from_;
};

// Ready when the count is zero, or was since the case last waited.
class WaitGroupCase final : public detail::PlaceCase {
 public:
  explicit WaitGroupCase(WaitGroup& group) noexcept : PlaceCase(group.place_), group_(group) {}
  // After this case won: as WaitGroup::wait.
  Result<void> result() { return group_.result(); }

 private:
  bool try_take() override { return std::exchange(was_zero_, false) || group_.count_ == 0; }
  std::string describe() const override { return detail::named("wait group", place_->name); }
  bool heard_when_cancelled() const noexcept override { return true; }
  void enter() override {
    zeros_ = group_.zeros_;
    PlaceCase::enter();
    waits_ = true;
  }
  void leave() noexcept override {
    if (std::exchange(waits_, false) && !detail::abandoning) was_zero_ = zeros_ != group_.zeros_;
    PlaceCase::leave();
  }

  WaitGroup& group_;
  std::uint32_t zeros_ = 0;
  bool was_zero_ = false;
  bool waits_ = false;
};

// Ready when the task has ended.
class TaskCase final : public detail::PlaceCase {
 public:
  explicit TaskCase(TaskHandle& handle) noexcept : PlaceCase(handle.place_), handle_(handle) {}
  // After this case won: as TaskHandle::join.
  Result<void> result() { return handle_.result(); }

 private:
  bool try_take() override { return handle_.done(); }
  std::string describe() const override { return "task '" + std::string(handle_.name()) + "'"; }
  bool heard_when_cancelled() const noexcept override { return true; }

  TaskHandle& handle_;
};

template <class T>
ReplyCase<T> on(Reply<T>& reply) noexcept {
  return ReplyCase<T>(reply);
}
template <class T>
SubscriptionCase<T> on(Subscription<T>& subscription) noexcept {
  return SubscriptionCase<T>(subscription);
}
inline WaitGroupCase on(WaitGroup& group) noexcept { return WaitGroupCase(group); }
inline TaskCase on(TaskHandle& handle) noexcept { return TaskCase(handle); }

}  // namespace belfry
