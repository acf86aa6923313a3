// Who may do what: from the listener, the peer and the Host header to an Access.
#pragma once

#include <string_view>

#include "daemon/http/wire/caller.hpp"

namespace belfry::daemon::http {

// What the caller may do, whatever his request says of itself.
[[nodiscard]] Access access_of(const Caller& caller);

// A browser on this host can be made to send requests to loopback under a foreign name (DNS rebinding).
// True for "localhost", for names below it and for literal addresses, with or without a port.
[[nodiscard]] bool names_this_host(std::string_view host);

}  // namespace belfry::daemon::http
