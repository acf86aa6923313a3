// The only place where a task is detached from its caller. It gets a name for the census and an
// owner who is told how it ends; it starts in the coming turn, never inside spawn().
//
// The normal owners are a Handshake (one long-lived task), a WaitGroup or an ErrorGroup (several);
// a TaskHandle is for the case of one task that is joined by hand.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "channels/context.hpp"
#include "channels/detail/task_errors.hpp"
#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"

namespace belfry {

// A name that is no literal is copied; of a very long one 32767 bytes are kept. A task that was moved away or
// awaited before ends the process with the name.
void spawn_for(TaskOwner& owner, Loop& loop, std::string_view name, Task<void> task);

// An exception as an error of kind failed: "task 'name' threw: what()".
Error error_from_exception(std::string_view name, std::exception_ptr thrown);

// Owner: the one who spawned. Lifecycle: running, done; may be moved while nobody joins. Dropping it
// while the task runs is a bug and ends the process with the task's name: join it, or leave it to the
// loop. Dropping it when the task threw and neither join() nor result() has told anybody is told to the loop
// (Loop::on_unread_error), which ends the process with the name and the error if nobody else does.
// Cancellation: join() gives up with its context's cause; the task itself goes on.
class [[nodiscard]] TaskHandle final : TaskOwner {
 public:
  TaskHandle(TaskHandle&& other) noexcept;
  TaskHandle& operator=(TaskHandle&&) = delete;
  ~TaskHandle();

  bool done() const noexcept { return task_ == nullptr; }
  std::string_view name() const noexcept { return name_.view(); }
  // How it ended, as join() says it, for those who run no task: main, after Loop::run. Kind refused while it
  // still runs.
  Result<void> result();

  class Join;
  // Result<void>: ok when the task returned, kind failed when it threw, the cause when ctx was
  // cancelled first. Any number of tasks may join, also later. A task that joins itself ends the process with
  // its name; so does joining a handle that was moved away.
  Join join(Context& ctx) noexcept;

  // Gives the task to the loop: nobody waits for it, and an exception in it, also an earlier one that nobody
  // was told, is told to Loop::on_unread_error.
  void leave_to_loop() && noexcept;

 private:
  friend TaskHandle spawn(Loop&, std::string_view, Task<void>);
  friend class TaskCase;
  TaskHandle(Loop& loop, std::string_view name, Task<void> task);
  void task_threw(std::string_view name, std::exception_ptr thrown) noexcept override;
  void task_done() noexcept override;

  void refuse_moved(const char* what) const noexcept;

  detail::WaitingPlace place_;
  detail::PackedName name_;
  detail::RootTask* task_ = nullptr;
  bool moved_ = false;
  detail::TaskErrors errors_;
};

TaskHandle spawn(Loop& loop, std::string_view name, Task<void> task);

class TaskHandle::Join final : public detail::Wait<Join> {
 public:
  Join(TaskHandle& handle, Context& ctx) noexcept : Wait(handle.place_, ctx, handle.done()), handle_(handle) {
    handle.refuse_moved("join");
  }
  bool await_ready() const noexcept { return granted() || is_cancelled(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    if (detail::owner_of(awaiting) == &handle_)
      detail::die("join task", handle_.name(), "it would wait for itself");
    suspend(awaiting);
  }
  Result<void> await_resume() {
    resumed();
    if (!handle_.done()) return std::unexpected(cancel_cause());
    return handle_.result();
  }
  bool granted() const noexcept { return handle_.done(); }
  std::string describe() const { return "task '" + std::string(handle_.name()) + "'"; }

 private:
  TaskHandle& handle_;
};

inline TaskHandle::Join TaskHandle::join(Context& ctx) noexcept { return {*this, ctx}; }

}  // namespace belfry
