#include "daemon/http/wire/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "channels/asio_bridge.hpp"
#include "system/pipe.hpp"

namespace belfry::daemon::http {
namespace {

constexpr std::size_t record = std::size_t{16} * 1024;  // what TLS puts into one piece (RFC 8446, 5.1)

constexpr std::string_view told_to_use_tls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 60\r\n\r\n"
    "cannot answer plain HTTP: TLS is spoken here. Use https://\r\n";

}  // namespace

Connection::Connection(Loop& loop, system::OwnedFd fd, std::unique_ptr<tls::ServerSession> tls)
    : socket_(loop.executor()), tls_(std::move(tls)) {
  // The family is not looked at again: reading and writing are the same for all streams.
  socket_.assign(asio::generic::stream_protocol(AF_UNIX, 0), fd.release());
}

Task<bool> Connection::secure(Context& ctx) {
  for (;;) {
    const Result<bool> done = tls_->handshake();
    tls_->outgoing(outgoing_);
    if (!done && tls_->heard_plain_http()) {
      std::string_view answer = told_to_use_tls;
      static_cast<void>(system::send_what_fits(descriptor(), answer));
      end_sending();
    }
    while (!flush()) {
      if (errno != EAGAIN) co_return false;
      const bool writable = co_await wait_until_writable(ctx);
      if (!writable) co_return false;
    }
    if (!done || *done) co_return done.has_value();
    const bool readable = co_await wait_until_readable(ctx);
    if (!readable || !take_in()) co_return false;
  }
}

Task<std::size_t> Connection::read_some(Context& ctx, std::span<char> into) {
  if (!has_tls()) {
    auto read = socket_.async_read_some(asio::buffer(into.data(), into.size()), asio::deferred);
    const auto [error, size] = co_await async(ctx, std::move(read));
    co_return error ? 0 : size;
  }
  for (;;) {
    const Result<std::size_t> got = tls_->decrypt(into);
    tls_->outgoing(outgoing_);  // the answer to a change of keys, or the alert that says what was wrong
    static_cast<void>(flush());
    if (!got || *got > 0 || tls_->closed()) co_return got.value_or(0);
    const bool readable = co_await wait_until_readable(ctx);
    if (!readable || !take_in()) co_return 0;
  }
}

Task<bool> Connection::wait_until_readable(Context& ctx) {
  auto readable = socket_.async_wait(Socket::wait_read, asio::deferred);
  const auto [error] = co_await async(ctx, std::move(readable));
  co_return !error;
}

Task<bool> Connection::wait_until_writable(Context& ctx) {
  auto writable = socket_.async_wait(Socket::wait_write, asio::deferred);
  const auto [error] = co_await async(ctx, std::move(writable));
  co_return !error;
}

Task<Connection::Sign> Connection::watch(Context& ctx) {
  for (;;) {
    if (has_tls()) {  // what came together with the bytes before is there already, and nobody will tell of it
      const Result<bool> plain = tls_->has_plain();
      if (!plain || tls_->closed()) co_return Sign::end;
      if (*plain) co_return Sign::bytes;
    }
    const bool readable = co_await wait_until_readable(ctx);
    if (!readable) co_return Sign::cancelled;
    if (!has_tls()) co_return system::has_hung_up(descriptor()) ? Sign::end : Sign::bytes;
    if (!take_in()) co_return Sign::end;
  }
}

bool Connection::take_in() {
  static std::array<char, record> wire;
  const ssize_t got = system::read_some(descriptor(), wire);
  if (got > 0) tls_->incoming({wire.data(), static_cast<std::size_t>(got)});
  return got > 0 || got == -EAGAIN;
}

bool Connection::send_secured(std::string_view& bytes) {
  while (flush()) {
    if (bytes.empty()) return true;
    const std::string_view piece = bytes.substr(0, record);
    if (!tls_->encrypt(piece)) {
      errno = EPROTO;
      return false;
    }
    bytes.remove_prefix(piece.size());
    tls_->outgoing(outgoing_);
  }
  return false;
}

// An idle connection keeps no room for what it has sent.
bool Connection::flush() {
  std::string_view left = std::string_view(outgoing_).substr(sent_);
  const bool all = system::send_what_fits(descriptor(), left);
  sent_ = outgoing_.size() - left.size();
  if (!all) return false;
  std::string().swap(outgoing_);
  sent_ = 0;
  return true;
}

void Connection::end_sending() {
  say_goodbye();
  system::end_sending(descriptor());
}

void Connection::say_goodbye() {
  if (!has_tls()) return;
  tls_->say_goodbye();
  tls_->outgoing(outgoing_);
  static_cast<void>(flush());
}

}  // namespace belfry::daemon::http
