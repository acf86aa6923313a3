// A stream that falls silent is cancelled; every message counts as a sign of life.
// Go: t := time.AfterFunc(d, cancel); … t.Reset(d)
#include "channels/watchdog.hpp"

#include <cstdio>

#include "channels/channel.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> talk_for_a_while(Context& ctx, Sender<int> out) {
  for (int i = 1; i <= 3; ++i) {
    (void)co_await sleep_for(ctx, milliseconds(5));
    (void)co_await out.send(ctx, i);
  }
}  // and then it says nothing more, and does not close either

Task<> run(Context& ctx) {
  Channel<int> stream(ctx.loop(), 0, "stream");
  WaitGroup tasks(ctx.loop());
  spawn(tasks, "talker", talk_for_a_while(ctx, stream.sender()));

  Watchdog watchdog(ctx, milliseconds(200), "stream");
  for (;;) {
    Result<int> message = co_await stream.receive(watchdog.context());
    if (!message) {
      std::printf("gave up: %s\n", message.error().text().c_str());
      break;
    }
    watchdog.kick();
    std::printf("message %d\n", *message);
  }
  (void)co_await tasks.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
