// What stands in the loop's ready list: a coroutine to resume, or a callback to run (channels/callback.hpp).
#pragma once

#include <coroutine>

#include "channels/detail/list.hpp"

namespace belfry::detail {

// A place in a primitive's waiting list or in the loop's ready list (the same link serves both,
// one after the other). 24 bytes in the waiting frame.
struct Waiter : Link {
  std::coroutine_handle<> handle;
};

using WaiterList = List<Waiter>;

}  // namespace belfry::detail
