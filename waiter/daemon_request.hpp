// One request to a running belfry, on the loop. What answers is believed as client/trust.hpp says.
#pragma once

#include <string>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "client/client.hpp"
#include "probes/net/resolver.hpp"

namespace belfry::waiter {

// GET `target` from the daemon whose control socket is at `path`. The failure: as client::Client has them; of
// a context that was cancelled: whatever. `resolver` outlives the task, and is asked nothing.
Task<client::Expected<client::Reply>> ask_daemon(Context& ctx, probes::Resolver& resolver, std::string path,
                                                 std::string target);

}  // namespace belfry::waiter
