// Who may do what: from the listener, the peer and the headers that prove or betray something to an Access.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/api/bearer_token.hpp"
#include "daemon/http/wire/caller.hpp"

namespace belfry::daemon::http {

// Whom the file lets in besides root and belfry's own user.
struct AccessRules {
  std::vector<gid_t> groups;  // `control.allow`: whose members may use the control socket
  BearerToken token;          // `control.token_file`: what makes a TCP client as good as they
};

// What the caller may do, as far as the connection tells.
[[nodiscard]] Access access_of(const Caller& caller, const AccessRules& rules);

// For the line that says who asked for a command: "user 1000 (process 4711)", "10.0.0.7 (with the token)".
[[nodiscard]] std::string who_is(const Caller& caller);

// A browser on this host can be made to send requests to loopback under a foreign name (DNS rebinding).
// True for "localhost", for names below it and for literal addresses, with or without a port.
[[nodiscard]] bool names_this_host(std::string_view host);

// A browser sends what any page asks it to send, and says whose page it was (RFC 6454). True when that is
// another one than the server it speaks to; no browser, and no page at all, is nobody else's.
[[nodiscard]] bool comes_from_elsewhere(std::string_view origin, std::string_view host);

}  // namespace belfry::daemon::http
