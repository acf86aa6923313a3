// Counts tasks; those who wait go on when the count is zero.
//
// The problem: whoever owns what several tasks use may not destroy it before the last of them has ended, in
// whatever order they end, and also when one of them throws.
//
// A spawned task is counted from spawn() until its frame is gone, so after wait() nothing of it is left. The
// group does not end the tasks: that is their context's part. "Cancel, then wait" is the whole of an orderly
// end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "channels/detail/root_task.hpp"
#include "channels/detail/task_errors.hpp"
#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"

namespace belfry {

// Owner: the one who starts the tasks. Lifecycle: rounds: from zero up and down to zero again, any number of
// them; destroyed only at zero, with nobody waiting. Going below zero ends the process with the group's name.
// What its tasks throw is kept until a wait() has told it; a group that goes with an error which nobody has
// read tells it to the loop (Loop::on_unread_error).
// Cancellation: of a wait; the tasks are not touched (give them a common context).
class WaitGroup final : TaskOwner {
 public:
  // What becomes of what a task throws: it is kept until a wait() tells it, or it is told to the loop at once
  // (Loop::on_unread_error), for a group that nobody waits for before the very end.
  enum class Thrown : std::uint8_t { kept, told_at_once };

  // A name that is no literal is copied.
  explicit WaitGroup(Loop& loop, const char* name = "wait group", Thrown thrown = Thrown::kept) noexcept
      : place_(loop, name), thrown_(thrown) {}
  ~WaitGroup();

  void add(std::size_t n = 1) noexcept { count_ += n; }
  void done() noexcept;
  std::size_t count() const noexcept { return count_; }
  const char* name() const noexcept { return place_.name; }

  class Waiting;
  // Result<void>: ok when the count is or was zero since the wait began; what spawned tasks have thrown in
  // the last round, and in earlier ones of which nobody has read it, as one error; or the cause of ctx. May
  // be repeated, by any number of tasks, but not by one that the group itself counts: that ends the process
  // with the group's name.
  Waiting wait(Context& ctx) noexcept;

  // Counts the task for as long as it runs. See spawn.hpp for the name.
  friend void spawn(WaitGroup& group, std::string_view name, Task<void> task);

 private:
  friend class WaitGroupCase;
  Result<void> result() {
    if (errors_ == nullptr || errors_->of_earlier_rounds.empty()) return {};
    return std::unexpected(errors_->of_earlier_rounds.read());
  }
  void task_threw(std::string_view name, std::exception_ptr thrown) noexcept override;
  void task_done() noexcept override { done(); }

  struct Errors {
    detail::TaskErrors of_earlier_rounds;
    detail::TaskErrors of_this_round;  // while the count is above zero
  };

  void end_round() noexcept;
  void tell() noexcept;

  detail::WaitingPlace place_;
  std::size_t count_ = 0;
  Thrown thrown_;
  std::uint32_t zeros_ = 0;         // how often the count came down to zero
  std::unique_ptr<Errors> errors_;  // null: nothing was ever thrown
};

void spawn(WaitGroup& group, std::string_view name, Task<void> task);

class WaitGroup::Waiting final : public detail::Wait<Waiting> {
 public:
  Waiting(WaitGroup& group, Context& ctx) noexcept
      : Wait(group.place_, ctx, group.count_ == 0), group_(group), zeros_(group.zeros_) {}
  bool await_ready() const noexcept { return granted() || is_cancelled(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    if (detail::owner_of(awaiting) == &group_) {
      detail::die("wait for wait group", place_->name, "by one of its own tasks: it would wait for itself");
    }
    suspend(awaiting);
  }
  Result<void> await_resume() {
    resumed();
    if (!granted()) return std::unexpected(cancel_cause());
    return group_.result();
  }
  bool granted() const noexcept { return group_.count_ == 0 || group_.zeros_ != zeros_; }
  std::string describe() const {
    return std::to_string(group_.count_) + " of " + detail::named("wait group", place_->name);
  }

 private:
  WaitGroup& group_;
  std::uint32_t zeros_;
};

inline WaitGroup::Waiting WaitGroup::wait(Context& ctx) noexcept { return {*this, ctx}; }

}  // namespace belfry
