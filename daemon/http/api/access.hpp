// Who may do what: from the listener, the peer and the Host header to an Access.
#pragma once

#include <string_view>

#include "daemon/http/wire/message.hpp"

namespace belfry::daemon::http {

// What is known of the other end of a connection.
struct Peer {
  enum class Kind : std::uint8_t { unix_socket, loopback, remote } kind = Kind::remote;
  bool trusted_user = false;  // unix_socket: root or belfry's own user
};

// The most that a peer may do through a listener that grants `granted`.
[[nodiscard]] Access access_of(Access granted, const Peer& peer);

// A browser on this host can be made to send requests to loopback under a foreign name (DNS rebinding).
// True for "localhost", for names below it and for literal addresses, with or without a port.
[[nodiscard]] bool names_this_host(std::string_view host);

}  // namespace belfry::daemon::http
