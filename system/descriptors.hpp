// belfry's own descriptors: the standard three exist, and the limit is as high as it may be.
#pragma once

#include <sys/resource.h>

#include <optional>

namespace belfry::system {

// Opens /dev/null on whichever of 0, 1, 2 was closed at entry, so that no socket ever becomes "stdout".
// Call it first in main, before anything opens a descriptor.
void ensure_standard_descriptors();

// Raises the soft limit to the hard one. Children get the old one back.
void raise_descriptor_limit();

// The limit before raise_descriptor_limit() changed it; empty when it did not.
std::optional<rlimit> entry_descriptor_limit();

}  // namespace belfry::system
