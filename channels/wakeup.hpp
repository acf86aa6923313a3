// A coalesced wake-up: any number of notifies before the worker looks are one.
//
// The problem: a worker that looks at some state has to look again after every change, and changes come in
// any number and from anywhere, also while it works. A queue of changes would grow without bound and says
// nothing that the state does not say.
//
// What is promised: after the last notify() the worker looks once more. What is not: how many there were.
#pragma once

#include "channels/detail/wait.hpp"
#include "channels/error.hpp"

namespace belfry {

// Owner: the worker's object. Lifecycle: quiet, notified, quiet…; at most one waiter. Must outlive
// the wait. Cancellation: of the wait; a notify of the same turn is then still delivered.
class Wakeup {
 public:
  explicit Wakeup(Loop& loop, const char* name = "wakeup") noexcept : place_(loop, name) {}
  ~Wakeup() { place_.assert_quiet("destroy wakeup"); }

  // Never blocks.
  void notify() noexcept {
    pending_ = true;
    place_.loop->wake_all(place_.waiters);
  }
  // Whether a notify has not been consumed yet.
  bool pending() const noexcept { return pending_; }
  // Takes the notifies without waiting; false when there are none. One that has released a waiter already is
  // that waiter's, and cannot be taken from him.
  bool consume() noexcept {
    if (place_.outstanding != 0 && place_.waiters.empty()) return false;
    return std::exchange(pending_, false);
  }

  class Waiting;
  // Result<void>: ok for one or more notifies (consumed), or the cause of ctx.
  Waiting wait(Context& ctx) noexcept;

  detail::WaitingPlace& place() noexcept { return place_; }  // for select

 private:
  detail::WaitingPlace place_;
  bool pending_ = false;
};

class Wakeup::Waiting final : public detail::Wait<Waiting> {
 public:
  Waiting(Wakeup& wakeup, Context& ctx) noexcept : Wait(wakeup.place_, ctx), wakeup_(wakeup) {}
  bool await_ready() noexcept {
    if (is_cancelled()) return true;
    taken_ = wakeup_.consume();
    return taken_;
  }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept {
    if (place_->outstanding != 0) detail::die("wait for wakeup", place_->name, "another task waits already");
    suspend(awaiting);
  }
  Result<void> await_resume() noexcept {
    const bool waited = static_cast<bool>(handle);
    resumed();
    if (taken_ || (waited && wakeup_.consume())) return {};
    return std::unexpected(cancel_cause());
  }
  bool granted() const noexcept { return wakeup_.pending_; }
  std::string describe() const { return detail::named("wakeup", place_->name); }

 private:
  Wakeup& wakeup_;
  bool taken_ = false;
};

inline Wakeup::Waiting Wakeup::wait(Context& ctx) noexcept { return {*this, ctx}; }

}  // namespace belfry
