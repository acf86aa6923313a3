// `tcp: host:port`: true when a connection is accepted.
#include "probes/kinds.hpp"

namespace belfry::probes {

Made make_tcp(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  auto target = parse_host_port(spec.target);
  if (!target) return std::unexpected(target.error());
  LocalOwner owner(means.questions, spec, about, target->port);
  Conversation conversation{.target = *target,
                            .what = "cannot talk to " + target->text(),
                            .tls = tls_of(spec, false),
                            .tls_options = spec.tls ? *spec.tls : config::TlsOptions(),
                            .dialogue = nullptr};
  return std::make_unique<DialogueProbe>(means, std::move(conversation), std::move(owner));
}

}  // namespace belfry::probes
