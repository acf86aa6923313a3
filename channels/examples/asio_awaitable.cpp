// In a program that is written with asio::awaitable: a loop on its io_context, awaiting in both directions.
#include <cstdio>

#include "channels/asio_bridge.hpp"
#include "channels/awaitable.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn_value.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

asio::awaitable<int> theirs(int n) {
  asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(1));
  co_await timer.async_wait(asio::use_awaitable);
  co_return n + 1;
}

Task<int> ours(Context& ctx, int n) {
  (void)co_await sleep_for(ctx, milliseconds(1));
  auto started = asio::co_spawn(ctx.loop().executor(), theirs(n), deferred);
  auto [thrown, value] = co_await async(ctx, std::move(started));
  if (thrown) std::rethrow_exception(thrown);
  co_return value * 2;
}

asio::awaitable<void> program(Context& root) {
  const int value =
      co_await start(root, "ours", [](Context& ctx) { return ours(ctx, 20); }, asio::use_awaitable);
  std::printf("%d\n", value);
}

}  // namespace

int main() {
  asio::io_context io;  // theirs: it outlives the loop, and they run it
  Loop loop(io);
  Context root(loop);
  asio::co_spawn(io, program(root), asio::detached);
  io.run();
}
