#include "channels/asio_bridge.hpp"

#include <array>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::milliseconds;
using test::Rig;
using test::seconds;

using Socket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;
using KernelTimer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

struct Pair {
  explicit Pair(Loop& loop) : near(loop.executor()), far(loop.executor()) {
    asio::local::connect_pair(near, far);
  }
  Socket near;
  Socket far;
};

Task<> read_some(Context& ctx, Socket& socket, std::string& got) {
  std::array<char, 64> bytes{};
  auto [error, count] = co_await async(ctx, socket.async_read_some(asio::buffer(bytes), deferred));
  got = error ? error.message() : std::string(bytes.data(), count);
}
Task<> read_exactly(Context& ctx, Socket& socket, std::size_t want, std::string& got) {
  std::string bytes(want, ' ');
  auto [error, count] = co_await async(ctx, asio::async_read(socket, asio::buffer(bytes), deferred));
  got = (error ? error.message() : "ok") + " " + bytes.substr(0, count);
}

TEST(AsioBridge, an_operation_is_awaited_like_anything_else) {
  Rig rig;
  Pair pair(rig.loop);
  std::string got;
  rig.go(read_some(rig.root, pair.near, got));
  rig.idle();
  EXPECT_EQ(got, "");
  asio::write(pair.far, asio::buffer("hello", 5));
  rig.idle();
  EXPECT_EQ(got, "hello");
}

TEST(AsioBridge, a_cancel_ends_the_operation_with_its_own_error) {
  Rig rig;
  Pair pair(rig.loop);
  std::string got;
  Context ctx(rig.root);
  rig.go(read_some(ctx, pair.near, got));
  rig.idle();
  ctx.cancel();
  EXPECT_EQ(got, "") << "nothing is resumed from inside cancel()";
  rig.idle();
  EXPECT_EQ(got, asio::error::make_error_code(asio::error::operation_aborted).message());
  got.clear();
  rig.go(read_some(rig.root, pair.near, got));
  asio::write(pair.far, asio::buffer("later", 5));
  rig.idle();
  EXPECT_EQ(got, "later") << "the socket is as good as before";
}

TEST(AsioBridge, a_composed_operation_is_cancelled_in_the_middle) {
  Rig rig;
  Pair pair(rig.loop);
  std::string got;
  Context ctx(rig.root);
  rig.go(read_exactly(ctx, pair.near, 10, got));
  asio::write(pair.far, asio::buffer("12345", 5));
  rig.idle();
  ctx.cancel();
  rig.idle();
  EXPECT_EQ(got, asio::error::make_error_code(asio::error::operation_aborted).message() + " 12345");
}

TEST(AsioBridge, nothing_is_started_on_a_cancelled_context) {
  Rig rig;
  Pair pair(rig.loop);
  std::string got;
  Context ctx(rig.root);
  ctx.cancel();
  asio::write(pair.far, asio::buffer("there", 5));
  rig.go(read_some(ctx, pair.near, got));
  rig.idle();
  EXPECT_EQ(got, asio::error::make_error_code(asio::error::operation_aborted).message());
  EXPECT_EQ(pair.near.available(), 5U);
}

TEST(AsioBridge, what_had_arrived_is_not_lost_to_a_cancel_of_the_same_turn) {
  Rig rig;
  Pair pair(rig.loop);
  std::string got;
  Context ctx(rig.root);
  rig.go(read_some(ctx, pair.near, got));
  rig.idle();
  asio::write(pair.far, asio::buffer("hello", 5));
  ctx.cancel();  // before the loop saw the bytes: they stay in the socket
  rig.idle();
  EXPECT_EQ(got, asio::error::make_error_code(asio::error::operation_aborted).message());
  EXPECT_EQ(pair.near.available(), 5U);
}

Task<> post_often(Context& ctx, Loop& loop, int& count) {
  for (int i = 0; i < 1000; ++i) {
    co_await async(ctx, asio::post(loop.executor(), deferred));
    co_await async(ctx, asio::dispatch(loop.executor(), deferred));
    ++count;
  }
}

TEST(AsioBridge, operations_without_values_and_ones_that_complete_on_the_spot) {
  Rig rig;
  int count = 0;
  rig.go(post_often(rig.root, rig.loop, count));
  rig.idle();
  EXPECT_EQ(count, 1000);
}

Task<> wait_and_ring(Context& ctx, Loop& loop, bool& slept) {
  KernelTimer timer(loop.executor(), milliseconds(1));
  auto [error] = co_await async(ctx, timer.async_wait(deferred));
  slept = !error;
}

TEST(AsioBridge, works_under_run) {
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop);
  bool slept = false;
  spawn(tasks, "timer", wait_and_ring(root, loop, slept));
  EXPECT_EQ(loop.run(), RunEnd::finished);
  EXPECT_TRUE(slept);
}

Task<> echo(Context& ctx, Socket socket) {
  std::array<char, 16> bytes{};
  for (;;) {
    auto [error, count] = co_await async(ctx, socket.async_read_some(asio::buffer(bytes), deferred));
    if (error) co_return;
    auto [broken, sent] =
        co_await async(ctx, asio::async_write(socket, asio::buffer(bytes, count), deferred));
    if (broken) co_return;
  }
}
Task<> ask(Context& ctx, Socket socket, Context& other) {
  std::array<char, 16> bytes{};
  for (int i = 0; i < 3; ++i) {
    (void)co_await async(ctx, asio::async_write(socket, asio::buffer("ping", 4), deferred));
    (void)co_await async(ctx, asio::async_read(socket, asio::buffer(bytes, 4), deferred));
  }
  other.cancel();
}
Task<> hang(Context& ctx, Loop& loop) {
  KernelTimer timer(loop.executor(), std::chrono::hours(1));
  (void)co_await async(ctx, timer.async_wait(deferred));
}

// Sockets, composed operations and a timer, each inside a frame, torn down after every step.
struct BridgeScenario {
  Context child;
  WaitGroup tasks;
  BridgeScenario(Loop& loop, Context& root) : child(root), tasks(loop) {
    Socket near(loop.executor());
    Socket far(loop.executor());
    asio::local::connect_pair(near, far);
    spawn(tasks, "echo", echo(root, std::move(near)));
    spawn(tasks, "ask", ask(root, std::move(far), child));
    spawn(tasks, "hang", hang(child, loop));
  }
};

TEST(AsioBridge, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<BridgeScenario>(), 10);
}

}  // namespace
}  // namespace belfry
