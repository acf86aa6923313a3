// `port: N`, `port: {udp: N}`.
#include "probes/kinds.hpp"
#include "probes/listen_watch/listen_probe.hpp"

namespace belfry::probes {

Made make_port(system::SockDiag& diag, PortWaiters& waiters, const config::Probe& spec,
               const ProbeContext& about) {
  return std::make_unique<ListenProbe>(diag, waiters, about,
                                       Awaited{.port = spec.port, .udp = spec.udp, .path = {}});
}

}  // namespace belfry::probes
