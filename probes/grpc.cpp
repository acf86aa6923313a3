// `grpc: host:port[/service]`: true when grpc.health.v1 says SERVING.
#include <algorithm>

#include "probes/protocols/grpc_health.hpp"
#include "probes/server_probe.hpp"

namespace belfry::probes {

Made make_grpc(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  const std::string& text = spec.target;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto target = parse_host_port(text.substr(0, slash));
  if (!target) return std::unexpected(target.error());
  const std::string service = text.substr(std::min(slash + 1, text.size()));
  GrpcRequest request{.authority = target->text(), .service = service, .within_tls = spec.tls != nullptr};
  return make_server_probe(
      means, spec, about, {.target = *target},
      "cannot ask " + target->text() + " for the health of " + (service.empty() ? "its server" : service),
      std::make_unique<GrpcHealth>(std::move(request)), GrpcHealth::alpn);
}

}  // namespace belfry::probes
