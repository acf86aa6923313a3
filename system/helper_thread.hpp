// A thread that blocks so that the loop need not: without signals, with a small stack, and with a name.
#pragma once

#include <pthread.h>

#include <functional>

namespace belfry::system {

// Whether there is one now. Owner: the caller joins or detaches `thread`, and what `body` touches is alive
// for as long as it runs. `name`: at most 15 characters (pthread_setname_np(3)).
[[nodiscard]] bool start_thread(pthread_t& thread, const char* name, std::move_only_function<void()> body);

}  // namespace belfry::system
