// What databases answer, and how they are named: probes/protocols and config/model. Nothing of this may be
// kept or said without bounds.
#include <cstdlib>

#include "config/model/database_address.hpp"
#include "config_targets.hpp"
#include "probes/protocols/mysql_session.hpp"
#include "probes/protocols/postgres_session.hpp"

namespace belfry::fuzz {
namespace {

using Step = probes::Dialogue::Step;

// Whole and in pieces of `piece` bytes, up to the verdict; what it says is bounded by what it hears.
std::string verdict(probes::Dialogue& dialogue, std::string_view bytes, std::size_t piece) {
  std::string say;
  if (!dialogue.begin(say)) std::abort();
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto step = dialogue.hear(bytes.substr(at, piece), say);
    if (say.size() > 4096) std::abort();
    if (!step) return step.error().text();
    if (*step == Step::done) return "ready";
    if (*step == Step::start_tls) return "tls";
  }
  (void)dialogue.ended();
  return "listens";
}

template <class Session>
void hear(std::string_view bytes) {
  using probes::TlsWish;
  for (const TlsWish tls : {TlsWish::none, TlsWish::preferred, TlsWish::required}) {
    Session session({.user = "belfry", .database = "shop", .tls = tls});
    const std::string whole = verdict(session, bytes, bytes.size() + 1);
    if (verdict(session, bytes, bytes.size() + 1) != whole) std::abort();  // it remembers nothing
    // Within TLS the pieces are the server's: what comes in one with the word that begins it is refused.
    if (tls == TlsWish::none && verdict(session, bytes, 1) != whole) std::abort();
  }
}

void expect_usable(const std::expected<config::DatabaseAddress, config::Malformed>& parsed) {
  if (!parsed) {
    if (parsed.error().message.empty() || parsed.error().message.size() > 500) std::abort();
    return;
  }
  if (parsed->hosts.empty()) std::abort();
  for (const config::DatabaseHost& host : parsed->hosts)
    if (host.socket_path.empty() ? host.where().empty() || host.port == 0 : host.socket_path.size() < 2)
      std::abort();
}

}  // namespace

void postgres(std::string_view bytes) { hear<probes::PostgresSession>(bytes); }
void mysql(std::string_view bytes) { hear<probes::MysqlSession>(bytes); }
void database_address(std::string_view bytes) {
  expect_usable(config::parse_postgres(bytes));
  expect_usable(config::parse_mysql(bytes));
}

}  // namespace belfry::fuzz
