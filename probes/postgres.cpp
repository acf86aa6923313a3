// `postgres: DSN`: true when the server takes clients; with `query:`, when a query succeeds.
#include "config/document/confidential.hpp"
#include "probes/database_probe.hpp"
#include "probes/kinds.hpp"
#include "probes/protocols/postgres_session.hpp"
#include "probes/query_probe.hpp"

namespace belfry::probes {

namespace {

PostgresTerms terms_of(const config::DatabaseAddress& address, TlsWish wish) {
  PostgresTerms terms{.user = address.user.empty() ? "postgres" : address.user, .database = address.database};
  if (wish == TlsWish::preferred) terms.tls = PostgresTerms::Tls::preferred;
  if (wish == TlsWish::required) terms.tls = PostgresTerms::Tls::required;
  return terms;
}

std::unique_ptr<Probe> make_session(NetMeans means, const config::Probe& spec, const ProbeContext& about,
                                    const config::DatabaseAddress& address,
                                    const config::DatabaseHost& host) {
  // TLS within a unix socket is not spoken (libpq does not, either).
  const TlsWish wish = host.socket_path.empty() ? tls_wish(spec, address) : TlsWish::none;
  Conversation conversation{.target = target_of(host),
                            .what = "cannot ask PostgreSQL at " + place_of(host),
                            .tls = wish == TlsWish::none ? TlsStart::never : TlsStart::agreed,
                            .tls_options = tls_options_for(spec, address, host),
                            .any_name = !spec.tls && address.ssl != config::SslMode::verify_full,
                            .dialogue = std::make_unique<PostgresSession>(terms_of(address, wish))};
  return std::make_unique<DialogueProbe>(means, std::move(conversation),
                                         LocalOwner(means.questions, spec, about, host.port));
}

std::unique_ptr<Probe> make_query(NetMeans means, const config::Probe& spec, const ProbeContext& about,
                                  const config::DatabaseAddress& address, const config::DatabaseHost& host) {
  Question question{.address = address,
                    .host = host,
                    .tls = spec.tls ? std::optional(*spec.tls) : std::nullopt,
                    .query = *spec.query,
                    .what = "cannot ask PostgreSQL at " + place_of(host),
                    .make = make_postgres_client};
  return std::make_unique<QueryProbe>(means, std::move(question),
                                      LocalOwner(means.questions, spec, about, host.port));
}

}  // namespace

Made make_postgres(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  const auto address = config::parse_postgres(spec.target);
  if (!address)
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) + ": " +
                                                           address.error().message));
  const bool asks = !spec.query->empty();
  std::vector<std::unique_ptr<Probe>> servers;
  for (const config::DatabaseHost& host : address->hosts)
    servers.push_back(asks ? make_query(means, spec, about, *address, host)
                           : make_session(means, spec, about, *address, host));
  return asked_in_turn(means.resolver.loop(), std::move(servers), spec, about, *address);
}

}  // namespace belfry::probes
