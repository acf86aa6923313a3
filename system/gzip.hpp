// Compressing a file (RFC 1952).
#pragma once

#include <atomic>

namespace belfry::system {

// Everything that can be read from one descriptor into another one. 0, or errno; ECANCELED when `given_up`,
// which is looked at every 64 KiB.
[[nodiscard]] int gzip(int from, int into, const std::atomic<bool>& given_up);

}  // namespace belfry::system
