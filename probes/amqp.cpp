// `amqp: host:port`: true when the broker begins a connection of AMQP 0-9-1.
#include "probes/protocols/amqp_greeting.hpp"
#include "probes/server_probe.hpp"

namespace belfry::probes {

namespace {

constexpr std::uint16_t plain_port = 5672;
constexpr std::uint16_t tls_port = 5671;

}  // namespace

Made make_amqp(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  const auto broker =
      parse_server(spec.target, "amqp", spec.target.starts_with("amqps:") ? tls_port : plain_port);
  if (!broker) return std::unexpected(broker.error());
  return make_server_probe(means, spec, about, *broker, "cannot greet the broker at " + broker->target.text(),
                           std::make_unique<AmqpGreeting>());
}

}  // namespace belfry::probes
