// Two tasks play ping-pong over channels without a buffer: each goes on when the other took the ball.
// Go: table := make(chan int)
#include <cstdio>

#include "channels/channel.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;

namespace {

Task<> play(Context& ctx, const char* name, Receiver<int> in, Sender<int> out) {
  while (Result<int> ball = co_await in.receive(ctx)) {
    std::printf("%s %d\n", name, *ball);
    if (*ball == 6) co_return;
    Result<void> hit = co_await out.send(ctx, *ball + 1);
    if (!hit || *ball == 5) co_return;
  }
}

Task<> run(Context& ctx) {
  Channel<int> left(ctx.loop(), 0, "left");
  Channel<int> right(ctx.loop(), 0, "right");
  WaitGroup players(ctx.loop());
  spawn(players, "ping", play(ctx, "ping", left.receiver(), right.sender()));
  spawn(players, "pong", play(ctx, "pong", right.receiver(), left.sender()));
  (void)co_await left.send(ctx, 1);
  (void)co_await players.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
