#include "probes/databases/borrowed_socket.hpp"

#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "channels/asio_bridge.hpp"

namespace belfry::probes {

namespace {

using Stream = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

class Borrowed {
 public:
  Borrowed(Loop& loop, int descriptor) : socket_(loop.executor()) {
    socket_.assign(asio::generic::stream_protocol(AF_UNSPEC, 0), descriptor, failed_);
  }
  ~Borrowed() {
    error_code ignored;
    if (socket_.is_open()) socket_.release(ignored);
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Stream& socket() { return socket_; }
  [[nodiscard]] const error_code& failed() const { return failed_; }

 private:
  Stream socket_;
  error_code failed_;
};

}  // namespace

Task<Result<void>> wait_for(Context& ctx, int descriptor, Direction direction) {
  if (descriptor < 0) co_return std::unexpected(Error::failed("the connection is gone"));
  Borrowed borrowed(ctx.loop(), descriptor);
  if (borrowed.failed()) co_return std::unexpected(Error::failed(borrowed.failed().message()));
  const auto what = direction == Direction::read ? Stream::wait_read : Stream::wait_write;
  auto waiting = borrowed.socket().async_wait(what, asio::deferred);
  const auto [ec] = co_await async(ctx, std::move(waiting));
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
  if (ec) co_return std::unexpected(Error::failed(ec.message()));
  co_return Result<void>{};
}

std::optional<Ends> ends_of(Loop& loop, int descriptor) {
  if (descriptor < 0) return std::nullopt;
  Borrowed borrowed(loop, descriptor);
  error_code failed = borrowed.failed();
  if (failed) return std::nullopt;
  const auto own = borrowed.socket().local_endpoint(failed);
  if (failed) return std::nullopt;
  const auto peer = borrowed.socket().remote_endpoint(failed);
  const int family = own.protocol().family();
  if (failed || (family != AF_INET && family != AF_INET6)) return std::nullopt;
  const auto as_tcp = [](const asio::generic::stream_protocol::endpoint& end) {
    Endpoint tcp;
    tcp.resize(end.size());
    std::memcpy(tcp.data(), end.data(), end.size());
    return tcp;
  };
  return Ends{as_tcp(own), as_tcp(peer)};
}

void shut_down(Loop& loop, int descriptor) {
  if (descriptor < 0) return;
  Borrowed borrowed(loop, descriptor);
  error_code ignored;
  borrowed.socket().shutdown(Stream::shutdown_both, ignored);
}

}  // namespace belfry::probes
