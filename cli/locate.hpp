// Which daemon a command speaks to.
#pragma once

#include "cli/client.hpp"
#include "cli/options.hpp"

namespace belfry::cli {

// By --socket, -c FILE, $BELFRY_SOCKET, or the file that `belfry run` would read here, in this order: what
// was said on this command line comes before what was inherited.
[[nodiscard]] Outcome<Client> connect_to_daemon(const Invocation& asked);

}  // namespace belfry::cli
