// A connection to whichever of a host's addresses answers first (RFC 8305).
#pragma once

#include <string>
#include <vector>

#include "channels/context.hpp"
#include "probes/net/resolver.hpp"

namespace belfry::probes {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

// Tries the addresses in their order, the next one when one fails or is silent for 250 ms; the first to
// connect is given to `socket`, the others are broken off. Ends when all have ended. `name` is for the
// messages: "cannot connect to db:5432: Connection refused". Precondition: there is an endpoint.
Task<Result<void>> connect_to_first(Context& ctx, Socket& socket, std::vector<Endpoint> endpoints,
                                    std::string name);

}  // namespace belfry::probes
