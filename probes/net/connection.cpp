#include "probes/net/connection.hpp"

#include <sys/socket.h>

#include <utility>

#include "channels/asio_bridge.hpp"
#include "probes/net/happy_eyeballs.hpp"
#include "system/stream_socket.hpp"

namespace belfry::probes {

namespace {

constexpr std::size_t wire_bytes = 16640;  // a record of TLS with its header and tag (RFC 8446, 5.1)

Error error_of(Context& ctx, const error_code& ec) {
  return ctx.cancelled() ? ctx.cause() : Error::failed(ec.message());
}

}  // namespace

Task<Result<void>> Connection::connect(Context& ctx, Resolver& resolver, const Target& target,
                                       system::Handshake handshake) {
  close();
  if (!target.socket_path.empty()) {
    Result<void> connected = co_await connect_to_path(ctx, target.socket_path);
    co_return connected;
  }
  Result<std::vector<Endpoint>> found = co_await resolver.resolve(ctx, target.host, target.port);
  if (!found) co_return std::unexpected(found.error());
  if (found->size() == 1) {
    Result<void> connected = co_await connect_to_one(ctx, found->front(), target.text(), handshake);
    co_return connected;
  }
  Socket socket(socket_.get_executor());
  Result<void> connected = co_await connect_to_first(ctx, socket, std::move(*found), target.text());
  if (connected) socket_ = Stream(std::move(socket));
  co_return connected;
}

Task<Result<void>> Connection::connect_to_one(Context& ctx, Endpoint endpoint, std::string name,
                                              system::Handshake handshake) {
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause().wrap("cannot connect to " + name));
  system::Connecting begun =
      system::begin_connect(endpoint.data(), static_cast<socklen_t>(endpoint.size()), handshake);
  bare_ = std::move(begun.fd);
  family_ = endpoint.protocol().family();
  error_code failed(begun.error, boost::system::system_category());
  if (begun.pending) {
    enlist();
    auto standing = socket_.async_wait(asio::socket_base::wait_write, asio::deferred);
    const auto [ec] = co_await async(ctx, std::move(standing));
    failed =
        ec ? ec
           : error_code(system::connect_result(socket_.native_handle()), boost::system::system_category());
  }
  if (!failed && system::is_connected_to_itself(descriptor(), endpoint.data(),
                                                static_cast<socklen_t>(endpoint.size()))) {
    abort();
    failed = met_itself;
  }
  if (!failed) co_return Result<void>{};
  close();
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause().wrap("cannot connect to " + name));
  co_return std::unexpected(Error::failed("cannot connect to " + name + ": " + reason_of(failed)));
}

void Connection::enlist() {
  if (!bare_) return;
  socket_.assign(asio::generic::stream_protocol(family_, IPPROTO_TCP), bare_.release());
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
  bare_.close();
  socket_.close(ignored);
  tls_.reset();
  wire_.reset();
}

void Connection::abort() {
  error_code ignored;
  if (bare_) system::close_by_reset(std::move(bare_));
  if (socket_.is_open()) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

std::optional<Ends> Connection::ends() {
  enlist();
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
    // A server may ask for another handshake in between, for a certificate of ours (RFC 5246, 7.4.1.1).
    Result<void> said = co_await flush_tls(ctx);
    if (!said) co_return std::unexpected(said.error());
    Result<bool> more = co_await feed_tls(ctx);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return std::size_t{0};
  }
}

Task<Result<void>> Connection::start_tls(Context& ctx, std::unique_ptr<tls::ClientSession> session) {
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
  enlist();
  auto reading = socket_.async_read_some(asio::buffer(into.data(), into.size()), asio::deferred);
  const auto [ec, got] = co_await async(ctx, std::move(reading));
  if (ec == asio::error::eof) co_return std::size_t{0};
  if (ec) co_return std::unexpected(error_of(ctx, ec));
  co_return got;
}

// Most of what is said fits into the socket at once.
Task<Result<void>> Connection::write_wire(Context& ctx, std::string_view bytes) {
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
  if (system::send_what_fits(descriptor(), bytes)) co_return Result<void>{};
  const error_code failed(errno, boost::system::system_category());
  if (failed != asio::error::would_block) co_return std::unexpected(error_of(ctx, failed));
  enlist();
  while (!bytes.empty()) {
    auto writing = socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), asio::deferred);
    const auto [ec, sent] = co_await async(ctx, std::move(writing));
    if (ec) co_return std::unexpected(error_of(ctx, ec));
    bytes.remove_prefix(sent);
  }
  co_return Result<void>{};
}

}  // namespace belfry::probes
