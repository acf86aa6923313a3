#include "daemon/cluster/etcd/transport.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "channels/asio_bridge.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon::etcd {

namespace {

constexpr std::size_t wire_bytes = std::size_t{32} << 10;

Error error_of(Context& ctx, const error_code& ec) {
  return ctx.cancelled() ? ctx.cause() : Error::failed(probes::reason_of(ec));
}

}  // namespace

Transport::Transport(Loop& loop, const Endpoint& endpoint, Patience patience)
    : loop_(loop),
      endpoint_(endpoint),
      patience_(patience),
      name_(endpoint.target.text()),
      socket_(loop.executor()),
      http2_({.authority = name_, .within_tls = endpoint.within_tls}),
      to_send_(loop, "bytes for etcd"),
      call_begun_(loop, "a call of etcd"),
      quiet_since_(loop.now()),
      lost_(loop, "connection to etcd lost") {
  http2_.on_outgoing([this] { to_send_.notify(); });
}

Task<Result<void>> Transport::connect(Context& ctx, probes::Resolver& resolver,
                                      std::unique_ptr<tls::ClientSession> session) {
  Result<std::vector<probes::Endpoint>> found =
      co_await resolver.resolve(ctx, endpoint_.target.host, endpoint_.target.port);
  if (!found) co_return std::unexpected(found.error());
  Result<void> connected = co_await probes::connect_to_first(ctx, socket_, std::move(*found), name_);
  if (!connected) co_return connected;
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  if (!session) co_return Result<void>{};
  Result<void> secured = co_await start_tls(ctx, std::move(session));
  if (!secured) co_return std::unexpected(secured.error().wrap("cannot speak TLS with " + name_));
  co_return Result<void>{};
}

Task<Result<void>> Transport::start_tls(Context& ctx, std::unique_ptr<tls::ClientSession> session) {
  tls_ = std::move(session);
  std::vector<char> wire(wire_bytes);
  for (;;) {
    const Result<bool> done = tls_->handshake();
    std::string say;
    tls_->outgoing(say);  // an alert, too, if it failed
    Result<void> sent = co_await write_all(ctx, say);
    if (!done) co_return std::unexpected(done.error());
    if (!sent || *done) co_return sent;
    Result<std::size_t> got = co_await read_some(ctx, wire);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return std::unexpected(Error::failed("it closed the connection in the middle of TLS"));
    tls_->incoming({wire.data(), *got});
  }
}

Task<Result<void>> Transport::write_all(Context& ctx, std::string_view bytes) {
  while (!bytes.empty()) {
    auto writing = socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), asio::deferred);
    const auto [ec, sent] = co_await async(ctx, std::move(writing));
    if (ec) co_return std::unexpected(error_of(ctx, ec));
    bytes.remove_prefix(sent);
  }
  co_return Result<void>{};
}

Task<Result<std::size_t>> Transport::read_some(Context& ctx, std::span<char> into) {
  auto reading = socket_.async_read_some(asio::buffer(into.data(), into.size()), asio::deferred);
  const auto [ec, got] = co_await async(ctx, std::move(reading));
  if (ec == asio::error::eof) co_return std::size_t{0};
  if (ec) co_return std::unexpected(error_of(ctx, ec));
  co_return got;
}

void Transport::start(Context& ctx, WaitGroup& group) {
  quiet_since_ = loop_.now();
  spawn(group, "etcd: read", read(ctx));
  spawn(group, "etcd: write", write(ctx));
  spawn(group, "etcd: listen for silence", listen_for_silence(ctx));
}

void Transport::lose(const Error& why) {
  if (!why_lost_.empty()) return;
  why_lost_ = why;
  http2_.end(why);
  lost_.ring();
}

void Transport::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Transport::expect_news() {
  quiet_since_ = std::max(quiet_since_, loop_.now());
  call_begun_.notify();
}

Result<void> Transport::take_in(std::string_view bytes, std::span<char> plain) {
  quiet_since_ = loop_.now();
  if (!tls_) return http2_.hear(bytes);
  tls_->incoming(bytes);
  for (;;) {
    const Result<std::size_t> got = tls_->decrypt(plain);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) break;
    if (auto heard = http2_.hear({plain.data(), *got}); !heard) return heard;
  }
  to_send_.notify();  // TLS may have something to say by itself
  if (tls_->closed()) return std::unexpected(Error::failed("it closed the connection"));
  return {};
}

Task<> Transport::read(Context& ctx) {
  std::vector<char> wire(wire_bytes);
  std::vector<char> plain(tls_ ? wire_bytes : 0);
  while (why_lost_.empty()) {
    Result<std::size_t> got = co_await read_some(ctx, wire);
    Result<void> heard;
    if (!got) heard = std::unexpected(got.error());
    if (got && *got == 0) heard = std::unexpected(Error::failed("it closed the connection"));
    if (got && *got > 0) heard = take_in({wire.data(), *got}, plain);
    if (heard && http2_.going_away() && http2_.short_calls() == 0)
      heard = std::unexpected(Error::failed("it takes no more calls"));
    if (!heard) lose(heard.error());
  }
}

Result<std::string> Transport::outgoing() {
  std::string say;
  http2_.append_outgoing(say);
  if (!tls_) return say;
  if (!say.empty())
    if (auto taken = tls_->encrypt(say); !taken) return std::unexpected(taken.error());
  say.clear();
  tls_->outgoing(say);
  return say;
}

Task<> Transport::write(Context& ctx) {
  while (why_lost_.empty()) {
    Result<std::string> say = outgoing();
    Result<void> done;
    if (!say) {
      done = std::unexpected(say.error());
    } else if (say->empty()) {
      done = co_await to_send_.wait(ctx);
    } else {
      done = co_await write_all(ctx, *say);
    }
    if (done && http2_.failed()) done = std::unexpected(*http2_.failed());
    if (!done) lose(done.error());
  }
}

// A member that is stopped or cut off says nothing, and neither does the kernel in any useful time.
Task<> Transport::listen_for_silence(Context& ctx) {
  while (why_lost_.empty()) {
    const TimePoint silent = quiet_since_ + patience_.before_ping;
    Result<void> waited;
    if (http2_.calls() == 0) {
      waited = co_await call_begun_.wait(ctx);
    } else if (loop_.now() < silent) {
      waited = co_await sleep_until(ctx, silent);
    } else {
      const TimePoint asked = loop_.now();
      http2_.ping();
      waited = co_await sleep_for(ctx, patience_.for_answer);
      if (waited && quiet_since_ < asked)
        waited = std::unexpected(Error::failed("it answers nothing any more"));
    }
    if (!waited) lose(waited.error());
  }
}

TransportCall::TransportCall(std::shared_ptr<Transport> transport, std::string_view path,
                             std::span<const Metadata> metadata, std::string_view message,
                             Http2::Call::Kind kind)
    : transport_(std::move(transport)),
      news_(transport_->loop(), "an answer of etcd"),
      call_(transport_->http2(), path, metadata, message, kind, [this] { news_.notify(); }) {
  transport_->expect_news();
}

void TransportCall::send(std::string_view message) {
  call_.send(message);
  transport_->expect_news();
}

Task<Result<std::optional<std::string>>> TransportCall::next(Context& ctx) {
  for (;;) {
    std::optional<std::string> message = call_.take();
    if (message || call_.end()) co_return message;
    Result<void> waited = co_await news_.wait(ctx);
    if (!waited) co_return std::unexpected(waited.error());
  }
}

}  // namespace belfry::daemon::etcd
