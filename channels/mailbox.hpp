// The one way into a loop from another thread.
//
// The problem: nothing in this library takes a lock, so nothing of it may be touched from a second thread;
// but some calls block (a write to a terminal), and need one.
//
// A helper thread posts a callback, or rings a bell, through a mailbox. What it wrote before post() or
// post_ring() is visible to what runs on the loop for it.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "channels/bell.hpp"

namespace belfry {

class Loop;

// Owner: an object of the loop's thread, declared after the bells that are rung through it, so that it
// goes first. Lifecycle: while it exists Loop::run does not take the loop for asleep; when it is
// destroyed, what was posted and has not run yet is dropped.
// Thread rules: post() and post_ring() from any thread while the mailbox exists; all else on the loop's.
class Mailbox {
 public:
  explicit Mailbox(Loop& loop);
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox();

  // Runs `callback` in the loop's thread. Never blocks for longer than a push into a queue.
  void post(std::move_only_function<void()> callback) const;

  // Rings the bell from any thread; nothing happens if it has ended by then.
  template <class T>
  void post_ring(Ringer<T> ringer, T value = {}) const {
    post([ringer, value = std::move(value)]() mutable { ringer.ring(std::move(value)); });
  }

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace belfry
