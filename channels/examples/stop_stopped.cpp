// Ask a task to stop, and go on only when it has put its things away.
// Go: close(stop); <-stopped
#include <cstdio>

#include "channels/handshake.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> flush_every(Context& stop, Context& always, Duration period) {
  for (;;) {
    Result<void> slept = co_await sleep_for(stop, period);
    if (!slept) break;
    std::puts("flusher: tick");
  }
  (void)co_await sleep_for(always, milliseconds(2));  // the last flush must not be cancelled
  std::puts("flusher: flushed for the last time");
}

Task<> run(Context& ctx) {
  Handshake flusher(ctx, "flusher");
  spawn(flusher, flush_every(flusher.context(), ctx, milliseconds(10)));
  (void)co_await sleep_for(ctx, milliseconds(15));

  Context patience(ctx, ctx.loop().now() + milliseconds(1000));
  Result<void> stopped = co_await flusher.stop(patience);
  std::printf("main: %s\n", stopped ? "stopped" : stopped.error().text().c_str());
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
