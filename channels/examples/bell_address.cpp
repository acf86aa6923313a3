// The bell carries the address: whoever waits for "ready" learns where, also when he comes late.
// Go: ready := make(chan string, 1); … ready <- ln.Addr().String()
#include <cstdio>
#include <string>

#include "channels/asio.hpp"
#include "channels/bell.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using asio::ip::tcp;

namespace {

// Port 0: the kernel chooses one, and nobody knows it before.
Task<> serve(Context& ctx, Ringer<std::uint16_t> ready) {
  asio::basic_socket_acceptor<tcp, Executor> acceptor(ctx.loop().executor(),
                                                      tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  ready.ring(acceptor.local_endpoint().port());
  co_return;
}

Task<> connect(Context& ctx, Listener<std::uint16_t> ready, const char* name) {
  Result<std::uint16_t> port = co_await ready.get(ctx);
  if (!port) co_return;
  std::printf("%s knows the port: %s\n", name, *port != 0 ? "yes" : "no");
}

Task<> run(Context& ctx) {
  Bell<std::uint16_t> ready(ctx.loop(), "ready");
  WaitGroup tasks(ctx.loop());
  spawn(tasks, "client", connect(ctx, ready.listener(), "early"));
  spawn(tasks, "server", serve(ctx, ready.ringer()));
  (void)co_await tasks.wait(ctx);
  co_await connect(ctx, ready.listener(), "late");

  Bell<std::uint16_t> failed(ctx.loop(), "failed");
  failed.never(Error::failed("cannot bind: address in use"));
  Result<std::uint16_t> port = co_await failed.get(ctx);
  std::printf("%s\n", port ? "bound" : port.error().text().c_str());
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
