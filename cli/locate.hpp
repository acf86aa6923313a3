// Which daemon a command speaks to.
#pragma once

#include "cli/options.hpp"
#include "client/client.hpp"

namespace belfry::cli {

using client::Client;
using client::detail_of;
using client::encoded;
using client::Reply;

// By --socket, -c FILE, $BELFRY_SOCKET, or the file that `belfry run` would read here, in this order: what
// was said on this command line comes before what was inherited.
[[nodiscard]] Expected<Client> connect_to_daemon(const Invocation& asked);

}  // namespace belfry::cli
