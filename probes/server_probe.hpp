// What the probes of servers have in common: an address in the file, and one dialogue.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "probes/kinds.hpp"

namespace belfry::probes {

// "db:6379", or `scheme://…`; with an `s` behind the scheme, TLS. What is not given is empty.
struct ServerAddress {
  Target target;
  std::string user = {}, password = {};
  std::string path = {};  // of a URL, without its first slash
  bool within_tls = false;
};

// The error is of kind invalid and quotes no password.
Result<ServerAddress> parse_server(std::string_view text, std::string_view scheme,
                                   std::uint16_t default_port);

// Connects, begins TLS where the address or the file asks for it, and holds the dialogue. `what` begins the
// messages: "cannot ping redis at db:6379".
std::unique_ptr<Probe> make_server_probe(NetMeans means, const config::Probe& spec, const ProbeContext& about,
                                         const ServerAddress& address, std::string what,
                                         std::unique_ptr<Dialogue> dialogue, std::string_view alpn = {});

}  // namespace belfry::probes
