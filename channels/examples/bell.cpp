// A server says when it is ready; clients that came early and one that came late all go on.
// Go: ready := make(chan struct{}); close(ready); <-ready
#include "channels/bell.hpp"

#include <cstdio>

#include "channels/handshake.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> serve(Context& ctx, Ringer<> ready) {
  std::puts("server: binding");
  Result<void> bound = co_await sleep_for(ctx, milliseconds(5));
  if (!bound) {
    ready.never(bound.error().wrap("cannot bind"));  // a failed start strands nobody
    co_return;
  }
  ready.ring();
  std::puts("server: ready");
}

Task<> use(Context& ctx, Listener<> ready, int client) {
  Outcome outcome = co_await ready.wait(ctx);
  if (outcome.rung()) std::printf("client %d: connected\n", client);
}

Task<> run(Context& ctx) {
  Loop& loop = ctx.loop();
  Bell<> ready(loop, "server ready");
  WaitGroup tasks(loop);
  spawn(tasks, "client", use(ctx, ready.listener(), 1));
  spawn(tasks, "client", use(ctx, ready.listener(), 2));
  spawn(tasks, "server", serve(ctx, ready.ringer()));
  (void)co_await tasks.wait(ctx);
  co_await use(ctx, ready.listener(), 3);  // late: does not wait
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
