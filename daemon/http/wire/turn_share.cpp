#include "daemon/http/wire/turn_share.hpp"

#include "channels/asio_bridge.hpp"

namespace belfry::daemon::http {

Task<void> TurnShare::let_io_go_first(Context& ctx) {
  auto behind_it = asio::post(ctx.loop().executor(), asio::deferred);
  const auto posted = co_await async(ctx, std::move(behind_it));
  static_cast<void>(posted);
}

// Whoever is the first to go on in a round begins its share; those behind him take of it until it is gone.
Task<void> TurnShare::wait(Context& ctx) {
  while (left_ <= 0 && !ctx.cancelled()) {
    const std::uint64_t seen = shares_;
    co_await let_io_go_first(ctx);
    if (shares_ != seen) continue;
    ++shares_;
    left_ = whole_;
  }
}

}  // namespace belfry::daemon::http
