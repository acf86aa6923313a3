#include "probes/database_probe.hpp"

#include <string>
#include <utility>

#include "config/document/confidential.hpp"
#include "probes/dialogue_probe.hpp"
#include "probes/local_owner.hpp"
#include "probes/schedule.hpp"

namespace belfry::probes {

namespace {

using config::DatabaseAddress;
using config::DatabaseHost;
using config::SslMode;

// "cannot ask PostgreSQL at db:5432", with the name that was written.
std::string question_to(const DatabaseKind& kind, const DatabaseHost& host) {
  const std::string place =
      !host.socket_path.empty()
          ? host.socket_path
          : Target{.host = host.name.empty() ? host.address : host.name, .port = host.port}.text();
  return "cannot ask " + std::string(kind.name) + " at " + place;
}

// What `tls:` says, else what the address says.
config::TlsOptions tls_options_for(const config::Probe& spec, const DatabaseAddress& address,
                                   const DatabaseHost& host) {
  config::TlsOptions options;
  if (spec.tls) {
    options = *spec.tls;
  } else {
    options.ca = address.ca;
    options.verify = address.ssl >= SslMode::verify_ca || !address.ca.empty();
  }
  if (options.server_name.empty()) options.server_name = host.name;
  return options;
}

// Within a unix socket none is spoken (libpq does not, either).
TlsWish tls_wish(const config::Probe& spec, const DatabaseAddress& address, const DatabaseHost& host) {
  if (!host.socket_path.empty()) return TlsWish::none;
  if (spec.tls) return TlsWish::required;
  if (address.ssl == SslMode::prefer) return TlsWish::preferred;
  return address.ssl >= SslMode::require ? TlsWish::required : TlsWish::none;
}

std::unique_ptr<Probe> make_session(const DatabaseKind& kind, NetMeans means, const config::Probe& spec,
                                    const ProbeContext& about, const DatabaseAddress& address,
                                    const DatabaseHost& host) {
  const TlsWish wish = tls_wish(spec, address, host);
  Conversation conversation{
      .target = {.host = host.where(), .port = host.port, .socket_path = host.socket_path},
      .what = question_to(kind, host),
      .tls = wish == TlsWish::none ? TlsStart::never : TlsStart::agreed,
      .tls_options = tls_options_for(spec, address, host),
      .any_name = !spec.tls && address.ssl != SslMode::verify_full,
      .dialogue = kind.session(address, wish)};
  return std::make_unique<DialogueProbe>(means, std::move(conversation),
                                         LocalOwner(means.questions, spec, about, host.port));
}

std::unique_ptr<Probe> make_query(const DatabaseKind& kind, NetMeans means, const config::Probe& spec,
                                  const ProbeContext& about, const DatabaseAddress& address,
                                  const DatabaseHost& host) {
  Question question{.address = address,
                    .host = host,
                    .tls = spec.tls ? std::optional(*spec.tls) : std::nullopt,
                    .query = *spec.query,
                    .what = question_to(kind, host),
                    .make = kind.client};
  return std::make_unique<QueryProbe>(means, std::move(question),
                                      LocalOwner(means.questions, spec, about, host.port));
}

}  // namespace

Made make_database(const DatabaseKind& kind, NetMeans means, const config::Probe& spec,
                   const ProbeContext& about) {
  const auto address = kind.parse(spec.target);
  if (!address)
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) + ": " +
                                                           address.error().message));
  const auto make = spec.query->empty() ? make_session : make_query;
  std::vector<std::unique_ptr<Probe>> servers;
  for (const DatabaseHost& host : address->hosts)
    servers.push_back(make(kind, means, spec, about, *address, host));
  Loop& loop = means.resolver.loop();
  const DatabaseProbe::Terms terms{.each = std::chrono::seconds(address->connect_timeout),
                                   .began = about.began.value_or(loop.now()),
                                   .has_period = spec.period.has_value()};
  return std::make_unique<DatabaseProbe>(loop, std::move(servers), terms);
}

Task<CheckResult> DatabaseProbe::check(Context& ctx) {
  CheckResult outcome;
  for (const auto& server : servers_) {
    if (terms_.each == Duration::zero()) {
      outcome = co_await server->check(ctx);
    } else {
      Context limited(ctx, saturating_add(loop_.now(), terms_.each));
      outcome = co_await server->check(limited);
    }
    if (outcome || ctx.cancelled()) break;
  }
  co_return outcome;
}

std::optional<Duration> DatabaseProbe::next_look(std::uint32_t) const {
  if (terms_.has_period) return std::nullopt;
  return adaptive_delay((loop_.now() - terms_.began) / 2);
}

}  // namespace belfry::probes
