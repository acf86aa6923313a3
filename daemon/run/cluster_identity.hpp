// Who this belfry is among the hosts of a cluster.
#pragma once

#include "config/model/model.hpp"
#include "daemon/cluster/cluster.hpp"

namespace belfry::daemon {

// Leaves a note of this start beside the history, so that the next belfry of this stack here knows what was
// left behind by one that is gone: only one runs at a time, which its control socket sees to. Where no note
// can be left, what is left behind runs out with its lease. The error: this host has no name that can stand
// in a key.
[[nodiscard]] Result<cluster::Identity> identify(const config::Stack& stack);

}  // namespace belfry::daemon
