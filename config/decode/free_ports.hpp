// Who chooses the ports that a file calls `free`. A file is read without a socket: whoever loads it brings
// the answer along (LoadOptions::free_ports); the real one is system/free_ports, tests have a list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace belfry::config {

// `count` distinct TCP ports that nobody on this host uses; fewer where there are no more.
using FreePorts = std::function<std::vector<std::uint16_t>(std::size_t count)>;

}  // namespace belfry::config
