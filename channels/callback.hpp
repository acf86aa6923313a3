// Work for the loop without a coroutine: posted any number of times before it runs, it runs once.
//
// The problem: whoever is called by the kernel (a signal, a descriptor) must not do its work inside the call,
// and must not allocate to put it off. A callback is a member of whoever has the work, and its own place in
// the loop's ready list.
#pragma once

#include "channels/detail/waiter.hpp"

namespace belfry {

// Owner: whoever has the work; it is usually a member.
// Lifecycle: put into the ready list with Loop::wake(), run in the coming turn, posted again. Destroyed while
// it is posted, it leaves the list and never runs. Cancellation: unlink(), or destruction. Thread rules: the
// loop's thread only.
class Callback : public detail::Waiter {
 public:
  virtual void run() noexcept = 0;
  virtual void discard() noexcept {}  // the loop is torn down and will not run it

 protected:
  ~Callback() = default;
};

}  // namespace belfry
