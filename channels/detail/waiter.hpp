// What stands in the loop's ready list: a coroutine to resume, or a callback to run (channels/callback.hpp).
#pragma once

#include <coroutine>

#include "channels/intrusive_list.hpp"

namespace belfry::detail {

// A place in a primitive's waiting list or in the loop's ready list (the same link serves both,
// one after the other). 24 bytes in the waiting frame.
struct Waiter : IntrusiveLink {
  std::coroutine_handle<> handle;
};

using WaiterList = IntrusiveList<Waiter>;

}  // namespace belfry::detail
