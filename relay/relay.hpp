// From a port of loopback to the control socket of a belfry, for one who has the link.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "client/failure.hpp"

namespace belfry::relay {

struct Terms {
  std::string socket;      // the control socket
  std::uint16_t port = 0;  // 0: any that is free
};

// Needs a SignalBlock. Until SIGINT or SIGTERM; `opened` is told the link once the port is open. A belfry
// that goes and comes back meanwhile is found again: each request connects anew.
[[nodiscard]] client::Expected<void> serve(const Terms& terms,
                                           const std::function<void(const std::string& link)>& opened);

}  // namespace belfry::relay
