// A connection to whichever of a host's addresses answers first (RFC 8305).
#pragma once

#include <string>
#include <vector>

#include "channels/context.hpp"
#include "probes/net/resolver.hpp"

namespace belfry::probes {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

// The probe was given its own end for the other one. Nothing else connects a socket twice.
inline const error_code met_itself = asio::error::already_connected;
// Why a connection does not stand, for people.
[[nodiscard]] std::string reason_of(const error_code& ec);

// Tries the addresses in their order, the next one when one fails or is silent for 250 ms; the first to
// connect is given to `socket`, the others are broken off. Ends when all have ended. `name` is for the
// messages: "cannot connect to db:5432: Connection refused". Precondition: there is an endpoint.
Task<Result<void>> connect_to_first(Context& ctx, Socket& socket, std::vector<Endpoint> endpoints,
                                    std::string name);

}  // namespace belfry::probes
