// A server: a task for each connection, and an end that waits for those who are in the middle of something.
// Go: for { c, err := ln.Accept(); wg.Add(1); go serve(c) }; … ln.Close(); wg.Wait()
#include <array>
#include <cstdio>
#include <string>

#include "channels/asio_bridge.hpp"
#include "channels/handshake.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

namespace {

Task<> serve(Context& ctx, Socket socket) {
  std::array<char, 512> buffer{};
  for (;;) {
    auto [error, count] = co_await async(ctx, socket.async_read_some(asio::buffer(buffer), deferred));
    if (error) co_return;  // the client has gone, or the server stops
    auto [failed, written] =
        co_await async(ctx, asio::async_write(socket, asio::buffer(buffer.data(), count), deferred));
    if (failed) co_return;
  }
}

Task<> accept(Context& ctx, Acceptor& acceptor) {
  WaitGroup connections(ctx.loop(), "connections");
  for (;;) {
    Socket socket(ctx.loop().executor());
    auto [error] = co_await async(ctx, acceptor.async_accept(socket, deferred));
    if (error) break;
    spawn(connections, "connection", serve(ctx, std::move(socket)));
  }
  Context patience(ctx.loop());  // ctx has been cancelled: the wait for the end needs one of its own
  (void)co_await connections.wait(patience);
}

Task<> say(Context& ctx, tcp::endpoint server, const char* text) {
  Socket socket(ctx.loop().executor());
  auto [error] = co_await async(ctx, socket.async_connect(server, deferred));
  if (error) co_return;
  const std::string line(text);
  co_await async(ctx, asio::async_write(socket, asio::buffer(line), deferred));
  std::string back(line.size(), ' ');
  co_await async(ctx, asio::async_read(socket, asio::buffer(back), deferred));
  std::printf("%s\n", back.c_str());
}

Task<> run(Context& ctx) {
  Acceptor acceptor(ctx.loop().executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  Handshake server(ctx, "server");
  spawn(server, accept(server.context(), acceptor));
  for (const char* text : {"hello", "again"}) co_await say(ctx, acceptor.local_endpoint(), text);
  Context patience = within(ctx, std::chrono::seconds(5));
  Result<void> stopped = co_await server.stop(patience);
  std::printf("stopped: %s\n", stopped ? "ok" : stopped.error().text().c_str());
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
