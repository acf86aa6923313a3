// `mysql: URL`: true when the server takes clients; with `query:`, when a query succeeds.
#include "probes/database_probe.hpp"
#include "probes/protocols/mysql_session.hpp"

namespace belfry::probes {

namespace {

// Nobody's password is used. Then a user who has one is not asked for either: a denied login may count
// towards locking the account.
std::unique_ptr<Dialogue> session(const config::DatabaseAddress& address, TlsWish tls) {
  const bool is_open = !address.user.empty() && address.password.empty();
  return std::make_unique<MysqlSession>(
      SessionTerms{.user = is_open ? address.user : "belfry", .database = address.database, .tls = tls});
}

constexpr DatabaseKind mysql{
    .name = "MySQL", .parse = config::parse_mysql, .session = session, .client = make_mysql_client};

}  // namespace

Made make_mysql(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  return make_database(mysql, means, spec, about);
}

}  // namespace belfry::probes
