// TCP ports of loopback that nobody uses at the moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace belfry::system {

// `count` distinct ones; fewer where the kernel has no more, or no descriptors. They are free again when this
// returns, and another process could take one: the kernel hands such ports out in random order, so that this
// is rare.
[[nodiscard]] std::vector<std::uint16_t> free_loopback_ports(std::size_t count);

}  // namespace belfry::system
