// What belfry itself may do (capabilities(7)): root in a container is often root in name only.
#pragma once

#include <linux/capability.h>

#include <optional>
#include <string>

#include "system/identity.hpp"

namespace belfry::system {

// Whether the calling thread has this capability (CAP_KILL, …) in effect. Where the kernel does not say:
// true, and whatever needs it will tell.
[[nodiscard]] bool has_capability(int capability);

// Whether there is anything to change in a child that is to run so.
[[nodiscard]] bool changes_identity(const Identity& identity);

// What belfry lacks to run a process so, and to end it again: "belfry lacks CAP_SETUID and CAP_KILL (add
// them, as with docker run --cap-add SETUID --cap-add KILL, or run belfry itself as nobody)". Nothing: it
// can.
[[nodiscard]] std::optional<std::string> what_is_missing_to_run_as(const Identity& identity);

}  // namespace belfry::system
