#include "probes/target.hpp"

#include "config/document/confidential.hpp"
#include "config/model/address.hpp"

namespace belfry::probes {

Result<Target> parse_host_port(std::string_view text) {
  const auto parsed = config::parse_host_port(text);
  if (!parsed)
    return std::unexpected(
        Error(Error::Kind::invalid, "cannot probe " + config::masked(text) + ": it is not host:port"));
  return Target{.host = parsed->host, .port = parsed->port};
}

Result<Target> parse_http_url(std::string_view text) {
  const std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) {
    return std::unexpected(Error(Error::Kind::invalid,
                                 "cannot probe " + config::masked(text) + ": only http:// is supported yet"));
  }
  const std::string_view rest = text.substr(scheme.size());
  const std::size_t slash = rest.find_first_of("/?");
  std::string authority(rest.substr(0, slash));
  const bool has_port =
      authority.find(':', authority.starts_with('[') ? authority.find(']') : 0) != std::string::npos;
  if (!has_port) authority += ":80";
  auto target = parse_host_port(authority);
  // In a URL the zone of an address stands behind "%25" (RFC 6874).
  if (target && target->host.contains(':'))
    if (const auto zone = target->host.find("%25"); zone != std::string::npos)
      target->host.erase(zone + 1, 2);
  if (target && slash != std::string_view::npos)
    target->path = (rest[slash] == '?' ? "/" : "") + std::string(rest.substr(slash));
  return target;
}

Error connection_error(Context& ctx, const std::string& what, const error_code& ec) {
  if (ctx.cancelled()) return ctx.cause().wrap(what);
  return Error::failed(what + ": " + ec.message());
}

Task<Result<void>> connect(Context& ctx, Socket& socket, Resolver& resolver, const Target& target) {
  Result<std::vector<Endpoint>> found = co_await resolver.resolve(ctx, target.host, target.port);
  if (!found) co_return std::unexpected(found.error());
  Result<void> connected = co_await connect_to_first(ctx, socket, std::move(*found), target.text());
  co_return connected;
}

}  // namespace belfry::probes
