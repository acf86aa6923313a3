// `tcp: host:port`: true when a connection is accepted, and what `expect` asks for is said on it.
#include "config/document/confidential.hpp"
#include "probes/kinds.hpp"
#include "probes/protocols/tcp_exchange.hpp"

namespace belfry::probes {

namespace {

// Null: to be connected is enough.
Result<std::unique_ptr<Dialogue>> dialogue_of(const config::Probe& spec) {
  if (!spec.tcp) return nullptr;
  std::optional<config::Pattern> expected;
  if (!spec.tcp->expect.empty()) {
    auto pattern = config::Pattern::compile(spec.tcp->expect);
    if (!pattern)
      return std::unexpected(
          Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) +
                                          ": `expect` is not a regular expression: " + pattern.error()));
    expected = std::move(*pattern);
  }
  return std::make_unique<TcpExchange>(spec.tcp->send, std::move(expected));
}

}  // namespace

Made make_tcp(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  auto target = parse_host_port(spec.target);
  if (!target) return std::unexpected(target.error());
  auto dialogue = dialogue_of(spec);
  if (!dialogue) return std::unexpected(dialogue.error());
  LocalOwner owner(means.questions, spec, about, target->port);
  Conversation conversation{.target = *target,
                            .what = "cannot talk to " + target->text(),
                            .tls = tls_of(spec, false),
                            .tls_options = spec.tls ? *spec.tls : config::TlsOptions(),
                            .dialogue = std::move(*dialogue)};
  return std::make_unique<DialogueProbe>(means, std::move(conversation), std::move(owner));
}

}  // namespace belfry::probes
