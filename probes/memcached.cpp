// `memcached: host:port`: true when it tells its version.
#include "probes/protocols/memcached_version.hpp"
#include "probes/server_probe.hpp"

namespace belfry::probes {

Made make_memcached(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  const auto target = parse_host_port(spec.target);
  if (!target) return std::unexpected(target.error());
  return make_server_probe(means, spec, about, {.target = *target},
                           "cannot ask memcached at " + target->text() + " for its version",
                           std::make_unique<MemcachedVersion>());
}

}  // namespace belfry::probes
