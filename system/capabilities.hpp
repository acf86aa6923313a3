// What belfry itself may do (capabilities(7)): root in a container is often root in name only.
#pragma once

#include <linux/capability.h>

#include <cstdint>
#include <optional>
#include <string>

#include "system/identity.hpp"

namespace belfry::system {

// Whether the calling thread has this capability (CAP_KILL, …) in effect. Where the kernel does not say:
// true, and whatever needs it will tell.
[[nodiscard]] bool has_capability(int capability);

// A set of capabilities, by their numbers.
using CapabilitySet = std::uint64_t;

// "CAP_NET_RAW" for 13; "capability 63" for a number without a name.
[[nodiscard]] std::string capability_name(int number);

// Those that this process may pass on (in its permitted set), and those that its children can ever have.
[[nodiscard]] CapabilitySet permitted_capabilities();
[[nodiscard]] CapabilitySet bounding_capabilities();

// Whether there is anything to change in a child that is to run so.
[[nodiscard]] bool changes_identity(const Identity& identity);

// Why belfry cannot take these away from a child, or give it those: "belfry lacks CAP_SETPCAP, …". Empty: it
// can.
[[nodiscard]] std::string why_no_capabilities(CapabilitySet dropped, CapabilitySet ambient);

// What belfry lacks to run a process so, and to end it again: "belfry lacks CAP_SETUID and CAP_KILL (add
// them, as with docker run --cap-add SETUID --cap-add KILL, or run belfry itself as nobody)". Nothing: it
// can.
[[nodiscard]] std::optional<std::string> what_is_missing_to_run_as(const Identity& identity);

}  // namespace belfry::system
