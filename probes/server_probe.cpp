#include "probes/server_probe.hpp"

#include <utility>

#include "config/document/confidential.hpp"

namespace belfry::probes {

Result<ServerAddress> parse_server(std::string_view text, std::string_view scheme,
                                   std::uint16_t default_port) {
  if (!text.contains("://")) {
    auto target = parse_host_port(text);
    if (!target) return std::unexpected(target.error());
    return ServerAddress{.target = std::move(*target)};
  }
  auto url = parse_url(text, default_port);
  if (!url) return std::unexpected(url.error());
  const bool within_tls = url->scheme == std::string(scheme) + "s";
  if (!within_tls && url->scheme != scheme)
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe " + config::masked(text) +
                                                           ": it is no `" + std::string(scheme) +
                                                           "://` URL, nor host:port"));
  return ServerAddress{.target = std::move(url->target),
                       .user = std::move(url->user),
                       .password = std::move(url->password),
                       .path = url->path.substr(1),
                       .within_tls = within_tls};
}

std::unique_ptr<Probe> make_server_probe(NetMeans means, const config::Probe& spec, const ProbeContext& about,
                                         const ServerAddress& address, std::string what,
                                         std::unique_ptr<Dialogue> dialogue, std::string_view alpn) {
  LocalOwner owner(means.questions, spec, about, address.target.port);
  Conversation conversation{.target = address.target,
                            .what = std::move(what),
                            .tls = tls_of(spec, address.within_tls),
                            .tls_options = spec.tls ? *spec.tls : config::TlsOptions(),
                            .alpn = std::string(alpn),
                            .dialogue = std::move(dialogue)};
  return std::make_unique<DialogueProbe>(means, std::move(conversation), std::move(owner));
}

}  // namespace belfry::probes
