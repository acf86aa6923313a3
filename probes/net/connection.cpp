#include "probes/net/connection.hpp"

#include <sys/socket.h>

#include <utility>

#include "channels/asio_bridge.hpp"
#include "probes/net/happy_eyeballs.hpp"

namespace belfry::probes {

namespace {

constexpr std::size_t wire_bytes = 16640;  // a record of TLS with its header and tag (RFC 8446, 5.1)

Error error_of(Context& ctx, const error_code& ec) {
  return ctx.cancelled() ? ctx.cause() : Error::failed(ec.message());
}

}  // namespace

Task<Result<void>> Connection::connect(Context& ctx, Resolver& resolver, const Target& target) {
  close();
  if (!target.socket_path.empty()) {
    Result<void> connected = co_await connect_to_path(ctx, target.socket_path);
    co_return connected;
  }
  Result<std::vector<Endpoint>> found = co_await resolver.resolve(ctx, target.host, target.port);
  if (!found) co_return std::unexpected(found.error());
  Socket socket(socket_.get_executor());
  Result<void> connected = co_await connect_to_first(ctx, socket, std::move(*found), target.text());
  if (connected) socket_ = Stream(std::move(socket));
  co_return connected;
}

Task<Result<void>> Connection::connect_to_path(Context& ctx, std::string path) {
  const std::string what = "cannot connect to " + path;
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    co_return std::unexpected(Error(Error::Kind::invalid, what + ": the path is too long for a socket"));
  if (path.front() == '@') path.front() = '\0';  // abstract (unix(7))
  const asio::local::stream_protocol::endpoint endpoint(path);
  auto connecting = socket_.async_connect(endpoint, asio::deferred);
  const auto [ec] = co_await async(ctx, std::move(connecting));
  if (ec) co_return std::unexpected(error_of(ctx, ec).wrap(what));
  co_return Result<void>{};
}

void Connection::close() {
  error_code ignored;
  socket_.close(ignored);
  tls_.reset();
}

void Connection::abort() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

std::optional<Ends> Connection::ends() const {
  error_code failed;
  const auto own = socket_.local_endpoint(failed);
  if (failed) return std::nullopt;
  const auto peer = socket_.remote_endpoint(failed);
  if (failed || (own.protocol().family() != AF_INET && own.protocol().family() != AF_INET6))
    return std::nullopt;
  const auto as_tcp = [](const asio::generic::stream_protocol::endpoint& end) {
    Endpoint tcp;
    tcp.resize(end.size());
    std::memcpy(tcp.data(), end.data(), end.size());
    return tcp;
  };
  return Ends{as_tcp(own), as_tcp(peer)};
}

Task<Result<void>> Connection::write(Context& ctx, std::string_view bytes) {
  if (!tls_) {
    Result<void> written = co_await write_wire(ctx, bytes);
    co_return written;
  }
  if (auto taken = tls_->encrypt(bytes); !taken) co_return taken;
  Result<void> written = co_await flush_tls(ctx);
  co_return written;
}

Task<Result<std::size_t>> Connection::read_some(Context& ctx, std::span<char> into) {
  if (!tls_) {
    Result<std::size_t> got = co_await read_wire(ctx, into);
    co_return got;
  }
  for (;;) {
    Result<std::size_t> got = tls_->decrypt(into);
    if (!got || *got > 0 || tls_->closed()) co_return got;
    Result<bool> more = co_await feed_tls(ctx);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return std::size_t{0};
  }
}

Task<Result<void>> Connection::start_tls(Context& ctx, std::unique_ptr<TlsSession> session) {
  tls_ = std::move(session);
  if (!wire_) wire_ = std::make_unique_for_overwrite<char[]>(wire_bytes);
  for (;;) {
    const Result<bool> done = tls_->handshake();
    Result<void> sent = co_await flush_tls(ctx);  // an alert, too, if it failed
    if (!done) co_return std::unexpected(done.error());
    if (!sent || *done) co_return sent;
    Result<bool> more = co_await feed_tls(ctx);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return std::unexpected(Error::failed("it closed the connection in the middle of TLS"));
  }
}

Task<Result<void>> Connection::flush_tls(Context& ctx) {
  outgoing_.clear();
  tls_->outgoing(outgoing_);
  if (outgoing_.empty()) co_return Result<void>{};
  Result<void> written = co_await write_wire(ctx, outgoing_);
  co_return written;
}

Task<Result<bool>> Connection::feed_tls(Context& ctx) {
  Result<std::size_t> got = co_await read_wire(ctx, std::span(wire_.get(), wire_bytes));
  if (!got) co_return std::unexpected(got.error());
  tls_->incoming({wire_.get(), *got});
  co_return *got > 0;
}

Task<Result<std::size_t>> Connection::read_wire(Context& ctx, std::span<char> into) {
  auto reading = socket_.async_read_some(asio::buffer(into.data(), into.size()), asio::deferred);
  const auto [ec, got] = co_await async(ctx, std::move(reading));
  if (ec == asio::error::eof) co_return std::size_t{0};
  if (ec) co_return std::unexpected(error_of(ctx, ec));
  co_return got;
}

Task<Result<void>> Connection::write_wire(Context& ctx, std::string_view bytes) {
  while (!bytes.empty()) {
    auto writing = socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), asio::deferred);
    const auto [ec, sent] = co_await async(ctx, std::move(writing));
    if (ec) co_return std::unexpected(error_of(ctx, ec));
    bytes.remove_prefix(sent);
  }
  co_return Result<void>{};
}

}  // namespace belfry::probes
