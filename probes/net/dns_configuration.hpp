// What the host's files say about asking name servers, as far as c-ares is not to read it by itself.
#pragma once

#include <string>
#include <vector>

#include "channels/error.hpp"

namespace belfry::probes {

struct DnsConfiguration {
  bool asks_servers = true;          // nsswitch.conf(5): `hosts: files` alone asks nobody
  std::vector<std::string> domains;  // to search, in their order
};

// Error: the reason why c-ares cannot be set up, in its words.
Result<DnsConfiguration> read_dns_configuration(const std::string& resolv_conf);

}  // namespace belfry::probes
