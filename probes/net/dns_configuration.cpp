#include "probes/net/dns_configuration.hpp"

#include <ares.h>

#include <cstring>
#include <span>

namespace belfry::probes {

namespace {

DnsConfiguration taken_from(const ares_options& options) {
  DnsConfiguration found;
  found.asks_servers = options.lookups == nullptr || std::strchr(options.lookups, 'b') != nullptr;
  // `search .` is how systemd-resolved writes that there is none; c-ares would ask for "db..".
  for (const char* domain : std::span(options.domains, static_cast<std::size_t>(options.ndomains)))
    if (std::string_view(domain) != ".") found.domains.emplace_back(domain);
  return found;
}

}  // namespace

// A channel is the only reader of these files that c-ares offers.
Result<DnsConfiguration> read_dns_configuration(const std::string& resolv_conf) {
  std::string path = resolv_conf;
  ares_options asked{};
  asked.resolvconf_path = path.data();
  ares_channeldata* reader = nullptr;
  int status = ::ares_init_options(&reader, &asked, ARES_OPT_RESOLVCONF);
  if (status != ARES_SUCCESS) return std::unexpected(Error::failed(::ares_strerror(status)));
  ares_options options{};
  int mask = 0;
  status = ::ares_save_options(reader, &options, &mask);
  DnsConfiguration found;
  if (status == ARES_SUCCESS) {
    found = taken_from(options);
    ::ares_destroy_options(&options);
  }
  ::ares_destroy(reader);
  return found;
}

}  // namespace belfry::probes
