// Who sent a request, as far as the connection tells.
#pragma once

#include <cstdint>

#include "system/stream_socket.hpp"

namespace belfry::daemon::http {

// What the sender of a request may do. Each level includes the ones before it.
enum class Access : std::uint8_t {
  none,         // a foreign user on the control socket
  health_only,  // health and metrics: a peer that is not on this host
  read_only,    // everything that changes nothing: a peer on loopback
  full,         // commands too: the control socket
};

struct Caller {
  Access granted = Access::health_only;  // the most that anybody may do through this listener
  system::Peer peer;
};

}  // namespace belfry::daemon::http
