// `postgres: DSN`: true when the server takes clients; with `query:`, when a query succeeds.
#include "probes/database_probe.hpp"
#include "probes/protocols/postgres_session.hpp"

namespace belfry::probes {

namespace {

std::unique_ptr<Dialogue> session(const config::DatabaseAddress& address, TlsWish tls) {
  return std::make_unique<PostgresSession>(SessionTerms{
      .user = address.user.empty() ? "postgres" : address.user, .database = address.database, .tls = tls});
}

constexpr DatabaseKind postgres{.name = "PostgreSQL",
                                .parse = config::parse_postgres,
                                .session = session,
                                .client = make_postgres_client};

}  // namespace

Made make_postgres(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  return make_database(postgres, means, spec, about);
}

}  // namespace belfry::probes
