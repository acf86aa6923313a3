// Whose socket is it? A stale or foreign process on a port must not ring the bell of a service.
#pragma once

#include <sys/types.h>

#include <vector>

#include "system/process.hpp"

namespace belfry::probes {

// Whether a process of the tree holds one of the sockets: the leader, what descends from it, or an
// orphan that left its descent (a double fork) and is a child of belfry's now. Reads /proc: call it when
// somebody listens, not for every look.
[[nodiscard]] bool holds_one(const system::TreeId& tree, const std::vector<ino_t>& sockets);

}  // namespace belfry::probes
