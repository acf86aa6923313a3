#include "probes/target.hpp"

#include "channels/asio_bridge.hpp"
#include "config/address.hpp"
#include "config/confidential.hpp"

namespace belfry::probes {

using asio::ip::tcp;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;

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
  if (target && slash != std::string_view::npos)
    target->path = (rest[slash] == '?' ? "/" : "") + std::string(rest.substr(slash));
  return target;
}

Error connection_error(Context& ctx, const std::string& what, const error_code& ec) {
  if (ctx.cancelled()) return ctx.cause().wrap(what);
  return Error(Error::Kind::failed, what + ": " + ec.message());
}

namespace {

// A port of the ephemeral range that nobody listens on may be the very one the kernel gives the probe's own
// end: the SYN then meets itself and the connection stands (simultaneous open, RFC 9293 3.5), with nobody
// behind it.
bool is_connected_to_itself(const Socket& socket) {
  error_code local_failed;
  error_code remote_failed;
  const auto local = socket.local_endpoint(local_failed);
  return local == socket.remote_endpoint(remote_failed) && !local_failed && !remote_failed;
}

// By a reset, so that the port is not in TIME_WAIT when the service comes to bind it.
void abort_connection(Socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

Task<Result<void>> connect_to(Context& ctx, Socket& socket, tcp::endpoint endpoint, std::string name) {
  error_code ignored;
  socket.close(ignored);
  auto connecting = socket.async_connect(endpoint, asio::deferred);
  const auto [ec] = co_await async(ctx, std::move(connecting));
  if (ec) co_return std::unexpected(connection_error(ctx, "cannot connect to " + name, ec));
  if (is_connected_to_itself(socket)) {
    abort_connection(socket);
    co_return std::unexpected(
        Error(Error::Kind::failed, "cannot connect to " + name + ": nobody listens, the probe met itself"));
  }
  co_return Result<void>{};
}

}  // namespace

Task<Result<void>> connect(Context& ctx, Socket& socket, const Target& target) {
  error_code not_literal;
  const auto address = asio::ip::make_address(target.host, not_literal);
  if (!not_literal) {
    Result<void> connected =
        co_await connect_to(ctx, socket, tcp::endpoint(address, target.port), target.text());
    co_return connected;
  }
  Resolver resolver(ctx.loop().executor());
  auto resolving = resolver.async_resolve(target.host, std::to_string(target.port), asio::deferred);
  const auto [ec, found] = co_await async(ctx, std::move(resolving));
  if (ec) co_return std::unexpected(connection_error(ctx, "cannot resolve " + target.host, ec));
  Result<void> connected =
      std::unexpected(Error(Error::Kind::failed, "cannot resolve " + target.host + ": it has no address"));
  for (const auto& entry : found) {
    connected = co_await connect_to(ctx, socket, entry.endpoint(), target.text());
    if (connected || ctx.cancelled()) break;
  }
  co_return connected;
}

}  // namespace belfry::probes
