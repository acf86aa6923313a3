#include "probes/database_probe.hpp"

#include <algorithm>

#include "probes/schedule.hpp"

namespace belfry::probes {

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

std::unique_ptr<Probe> asked_in_turn(Loop& loop, std::vector<std::unique_ptr<Probe>> servers,
                                     const config::Probe& spec, const ProbeContext& about,
                                     const config::DatabaseAddress& address) {
  const DatabaseProbe::Terms terms{.each = std::chrono::seconds(address.connect_timeout),
                                   .began = about.began.value_or(loop.now()),
                                   .has_period = spec.period.has_value()};
  return std::make_unique<DatabaseProbe>(loop, std::move(servers), terms);
}

Target target_of(const config::DatabaseHost& host) {
  return {.host = host.where(), .port = host.port, .socket_path = host.socket_path};
}

std::string place_of(const config::DatabaseHost& host) {
  if (!host.socket_path.empty()) return host.socket_path;
  return Target{.host = host.name.empty() ? host.address : host.name, .port = host.port}.text();
}

config::TlsOptions tls_options_for(const config::Probe& spec, const config::DatabaseAddress& address,
                                   const config::DatabaseHost& host) {
  config::TlsOptions options;
  if (spec.tls) {
    options = *spec.tls;
  } else {
    options.ca = address.ca;
    options.verify = address.ssl == config::SslMode::verify_ca ||
                     address.ssl == config::SslMode::verify_full || !address.ca.empty();
  }
  if (options.server_name.empty()) options.server_name = host.name;
  return options;
}

TlsWish tls_wish(const config::Probe& spec, const config::DatabaseAddress& address) {
  if (spec.tls) return TlsWish::required;
  if (address.ssl == config::SslMode::prefer) return TlsWish::preferred;
  return address.ssl >= config::SslMode::require ? TlsWish::required : TlsWish::none;
}

}  // namespace belfry::probes
