// A hundred changes, one redraw: the worker re-reads the state, so it need not hear of every change.
// Go: wake := make(chan struct{}, 1); select { case wake <- struct{}{}: default: }
#include <cstdio>

#include "channels/handshake.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wakeup.hpp"

using namespace belfry;

namespace {

Task<> redraw(Context& ctx, Wakeup& changed, const int& state, int& redraws) {
  for (;;) {
    Result<void> woken = co_await changed.wait(ctx);
    if (!woken) co_return;
    ++redraws;
    std::printf("drew %d\n", state);
  }
}

Task<> run(Context& ctx) {
  int state = 0;
  int redraws = 0;
  Wakeup changed(ctx.loop());
  Handshake painter(ctx, "painter");
  spawn(painter, redraw(painter.context(), changed, state, redraws));
  for (int burst = 0; burst < 2; ++burst) {
    for (int i = 0; i < 100; ++i) {
      ++state;
      changed.notify();
    }
    co_await yield(ctx.loop());
    co_await yield(ctx.loop());
  }
  (void)co_await painter.stop(ctx);
  std::printf("%d changes, %d redraws\n", state, redraws);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
