// `mysql: URL`: true when the server takes clients; with `query:`, when a query succeeds.
#include "config/document/confidential.hpp"
#include "probes/database_probe.hpp"
#include "probes/kinds.hpp"
#include "probes/protocols/mysql_session.hpp"
#include "probes/query_probe.hpp"

namespace belfry::probes {

namespace {

// Without `query:` nobody's password is used. Then a user who has one is not asked for either: a denied login
// may count towards locking the account.
MysqlTerms terms_of(const config::DatabaseAddress& address, TlsWish wish) {
  const bool is_open = !address.user.empty() && address.password.empty();
  MysqlTerms terms{.user = is_open ? address.user : "belfry", .database = address.database};
  if (wish == TlsWish::preferred) terms.tls = MysqlTerms::Tls::preferred;
  if (wish == TlsWish::required) terms.tls = MysqlTerms::Tls::required;
  return terms;
}

std::unique_ptr<Probe> make_session(NetMeans means, const config::Probe& spec, const ProbeContext& about,
                                    const config::DatabaseAddress& address,
                                    const config::DatabaseHost& host) {
  const TlsWish wish = host.socket_path.empty() ? tls_wish(spec, address) : TlsWish::none;
  Conversation conversation{.target = target_of(host),
                            .what = "cannot ask MySQL at " + place_of(host),
                            .tls = wish == TlsWish::none ? TlsStart::never : TlsStart::agreed,
                            .tls_options = tls_options_for(spec, address, host),
                            .any_name = !spec.tls && address.ssl != config::SslMode::verify_full,
                            .dialogue = std::make_unique<MysqlSession>(terms_of(address, wish))};
  return std::make_unique<DialogueProbe>(means, std::move(conversation),
                                         LocalOwner(means.questions, spec, about, host.port));
}

std::unique_ptr<Probe> make_query(NetMeans means, const config::Probe& spec, const ProbeContext& about,
                                  const config::DatabaseAddress& address, const config::DatabaseHost& host) {
  Question question{.address = address,
                    .host = host,
                    .tls = spec.tls ? std::optional(*spec.tls) : std::nullopt,
                    .query = *spec.query,
                    .what = "cannot ask MySQL at " + place_of(host),
                    .make = make_mysql_client};
  return std::make_unique<QueryProbe>(means, std::move(question),
                                      LocalOwner(means.questions, spec, about, host.port));
}

}  // namespace

Made make_mysql(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  const auto address = config::parse_mysql(spec.target);
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
