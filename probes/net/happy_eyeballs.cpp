#include "probes/net/happy_eyeballs.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "channels/asio_bridge.hpp"
#include "channels/select.hpp"
#include "channels/wait_group.hpp"
#include "channels/wakeup.hpp"
#include "system/stream_client.hpp"

namespace belfry::probes {

namespace {

constexpr Duration head_start = std::chrono::milliseconds(250);  // RFC 8305, 8: Connection Attempt Delay

bool is_connected_to_itself(Socket& socket, const Endpoint& endpoint) {
  return system::is_connected_to_itself(socket.native_handle(), endpoint.data(),
                                        static_cast<socklen_t>(endpoint.size()));
}

// By a reset, so that the port is not in TIME_WAIT when the service comes to bind it.
void abort_connection(Socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

Task<error_code> connect_once(Context& ctx, Socket& socket, Endpoint endpoint) {
  error_code ignored;
  socket.close(ignored);
  auto connecting = socket.async_connect(endpoint, asio::deferred);
  const auto [ec] = co_await async(ctx, std::move(connecting));
  if (ec || !is_connected_to_itself(socket, endpoint)) co_return ec;
  abort_connection(socket);
  co_return met_itself;
}

// This host has no way to such addresses: says nothing about who is asked for.
bool is_out_of_reach(const error_code& ec) {
  return ec == asio::error::address_family_not_supported || ec == asio::error::network_unreachable ||
         ec == boost::system::errc::address_not_available;
}

struct Failure {
  Endpoint endpoint;
  error_code ec;
};

// Owner: connect_to_first's frame. Lifecycle: until all attempts have ended. Cancellation: `attempts`, by the
// one who waits or by the first who is connected.
struct Race {
  explicit Race(Context& ctx) : attempts(ctx), running(ctx.loop(), "connect"), ended(ctx.loop(), "connect") {}
  Context attempts;
  WaitGroup running;
  Wakeup ended;  // an attempt came to its end
  std::optional<Socket> winner;
  std::vector<Failure> failures;
};

Task<void> take_part(Race& race, Endpoint endpoint) {
  Socket socket(race.attempts.loop().executor());
  const error_code failed = co_await connect_once(race.attempts, socket, endpoint);
  if (!failed && !race.winner) {
    race.winner.emplace(std::move(socket));
    race.attempts.cancel();
  }
  if (failed) race.failures.push_back({endpoint, failed});
  race.ended.notify();
}

// "Connection refused" when that holds for all that can be reached, else each with its address.
std::string reasons(std::vector<Failure> failures) {
  const auto can_be_reached = [](const Failure& failure) { return !is_out_of_reach(failure.ec); };
  if (std::ranges::any_of(failures, can_be_reached)) std::erase_if(failures, std::not_fn(can_be_reached));
  const error_code first = failures.front().ec;
  if (std::ranges::all_of(failures, [&](const Failure& failure) { return failure.ec == first; }))
    return reason_of(first);
  std::string all;
  for (const Failure& failure : failures)
    all += (all.empty() ? "" : "; ") + failure.endpoint.address().to_string() + ": " + reason_of(failure.ec);
  return all;
}

}  // namespace

std::string reason_of(const error_code& ec) {
  return ec == met_itself ? "nobody listens, the probe met itself" : ec.message();
}

Task<Result<void>> connect_to_first(Context& ctx, Socket& socket, std::vector<Endpoint> endpoints,
                                    std::string name) {
  const std::string what = "cannot connect to " + name;
  if (endpoints.size() == 1) {
    const error_code failed = co_await connect_once(ctx, socket, endpoints.front());
    if (!failed) co_return Result<void>{};
    if (ctx.cancelled()) co_return std::unexpected(ctx.cause().wrap(what));
    co_return std::unexpected(Error::failed(what + ": " + reason_of(failed)));
  }
  Race race(ctx);
  for (const Endpoint& endpoint : endpoints) {
    spawn(race.running, "connect", take_part(race, endpoint));
    auto ended = on(race.ended);
    auto late = at(ctx.loop(), ctx.loop().now() + head_start);
    (void)co_await select(race.attempts, ended, late);
    if (race.attempts.cancelled()) break;
  }
  Context to_the_end(ctx.loop());  // those who are left are bound to `attempts`
  const Result<void> joined = co_await race.running.wait(to_the_end);
  if (!joined) co_return std::unexpected(joined.error().wrap(what));
  if (race.winner) {
    socket = std::move(*race.winner);
    co_return Result<void>{};
  }
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause().wrap(what));
  co_return std::unexpected(Error::failed(what + ": " + reasons(std::move(race.failures))));
}

}  // namespace belfry::probes
