// What stands in the loop's ready list: a coroutine to resume, or a callback to run.
#pragma once

#include <coroutine>

#include "channels/detail/list.hpp"

namespace belfry::detail {

// A place in a primitive's waiting list or in the loop's ready list (the same link serves both,
// one after the other). 24 bytes in the waiting frame.
struct Waiter : Link {
  std::coroutine_handle<> handle;
};

// A waiter without a coroutine: `handle` stays empty and tells the loop so.
class Callback : public Waiter {
 public:
  virtual void run() noexcept = 0;
  virtual void discard() noexcept {}  // the loop is torn down and will not run it

 protected:
  ~Callback() = default;
};

using WaiterList = List<Waiter>;

}  // namespace belfry::detail
