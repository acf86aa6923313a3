// Whether an address could be bound now, without keeping it.
#pragma once

#include <cstdint>
#include <string>

namespace belfry::system {

// errno of bind(2) there, 0 when it works or when this is no address at all. "localhost" and "*" are known.
// The socket never listens, so nobody can connect to it. What waits in TIME_WAIT is no obstacle, as it is
// none to a server.
[[nodiscard]] int why_not_bindable(bool udp, const std::string& address, std::uint16_t port);

}  // namespace belfry::system
