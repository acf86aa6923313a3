// Stop and stopped: one side asks, the other answers when it is really over.
//
// The problem: "please end" and "it has ended" are two events, and the time between them is where things are
// destroyed that are still used. A flag that is set says nothing of the second one, and a task that throws
// never says it.
//
// stop() returns only after the task has ended; `stopped` rings however it ends, by return or by
// exception. The task watches handshake.context(), which request_stop() cancels.
#pragma once

#include <string_view>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/detail/root_task.hpp"
#include "channels/detail/task_errors.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"

namespace belfry {

// Owner: the one who starts and stops the task; must outlive it. Lifecycle: one task, spawned at most
// once; `stopped` ends it. Destroying it while the task runs ends the process with its name; destroying it
// when the task threw, and neither stop() nor error() has told anybody, is told to the loop
// (Loop::on_unread_error).
// Cancellation: the parent's cancel is a request to stop.
class Handshake final : TaskOwner {
 public:
  // The name is the task's in the census, too. One that is no literal is copied.
  Handshake(Context& parent, const char* name) noexcept : context_(parent), stopped_(parent.loop(), name) {}
  ~Handshake();

  Context& context() noexcept { return context_; }
  Listener<> stopped() noexcept { return stopped_.listener(); }
  const char* name() const noexcept { return stopped_.name(); }
  bool running() const noexcept { return spawned_ && !stopped_.ended(); }

  // Asks. Never blocks; with no task to ask, `stopped` rings.
  void request_stop(const Error& cause = Error::cancelled()) noexcept;

  class Stop;
  // Asks, and waits for the answer: Result<void>, ok once stopped, what the task threw (kind failed), or the
  // cause of `patience`. May be repeated. From inside its own task it ends the process with the name.
  Stop stop(Context& patience) noexcept;

  // What the task threw, or nullptr: also while it runs, as then nothing was thrown yet.
  const Error* error() noexcept { return errors_.empty() ? nullptr : &errors_.read(); }

  // Is this the owner of the handshake's own task? A task that waits for itself waits for ever.
  bool owns(const TaskOwner* task_owner) const noexcept { return task_owner == this; }

  friend void spawn(Handshake& handshake, Task<void> task);

 private:
  void task_threw(std::string_view name, std::exception_ptr thrown) noexcept override;
  void task_done() noexcept override { stopped_.ring(); }

  Context context_;
  Bell<> stopped_;
  detail::TaskErrors errors_;
  bool spawned_ = false;
};

// Once. After a stop it drops the task unstarted: `stopped` has been answered for it.
void spawn(Handshake& handshake, Task<void> task);

class Handshake::Stop {
 public:
  Stop(Handshake& handshake, Context& patience) noexcept
      : handshake_(handshake), wait_(handshake.stopped().wait(patience)) {}
  bool await_ready() const noexcept { return wait_.await_ready(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    if (detail::owner_of(awaiting) == &handshake_) {
      detail::die("stop handshake", handshake_.name(), "from inside its own task: it would wait for itself");
    }
    wait_.await_suspend(awaiting);
  }
  Result<void> await_resume() noexcept {
    Outcome outcome = wait_.await_resume();
    if (!outcome.rung()) return std::unexpected(std::move(outcome.cause));
    if (const Error* thrown = handshake_.error()) return std::unexpected(*thrown);
    return {};
  }

 private:
  Handshake& handshake_;
  detail::BellWait wait_;
};

inline Handshake::Stop Handshake::stop(Context& patience) noexcept {
  request_stop();
  return {*this, patience};
}

}  // namespace belfry
