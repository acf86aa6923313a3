// Who this belfry is among the hosts of a cluster.
#pragma once

#include "config/model/model.hpp"
#include "daemon/cluster/cluster.hpp"

namespace belfry::daemon {

// Leaves a note of this start beside the history, so that the next belfry with this control socket knows what
// was left behind by one that is gone: only one at a time has the socket. Empty: there may be others, and no
// note is believed or left. Where none can be left, what is left behind runs out with its lease. The error:
// this host has no name that can stand in a key.
[[nodiscard]] Result<cluster::Identity> identify(const config::Stack& stack,
                                                 const std::string& control_socket);

}  // namespace belfry::daemon
