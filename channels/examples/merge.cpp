// Fan-in: several producers, one stream, closed once by a task that joins them.
// Go: go func() { wg.Wait(); close(out) }()
#include <cstdio>

#include "channels/channel.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> produce(Context& ctx, Sender<int> out, int first, int count) {
  for (int i = 0; i < count; ++i) {
    (void)co_await sleep_for(ctx, milliseconds(1));
    Result<void> sent = co_await out.send(ctx, first + i);
    if (!sent) co_return;
  }
}

Task<> close_after(Context& ctx, WaitGroup& producers, Channel<int>& out) {
  (void)co_await producers.wait(ctx);
  out.close();
}

Task<> run(Context& ctx) {
  Channel<int> merged(ctx.loop(), 0, "merged");
  WaitGroup producers(ctx.loop());
  WaitGroup closer(ctx.loop());
  for (int first : {100, 200, 300}) spawn(producers, "producer", produce(ctx, merged.sender(), first, 5));
  spawn(closer, "closer", close_after(ctx, producers, merged));

  int count = 0;
  int sum = 0;
  while (Result<int> item = co_await merged.receive(ctx)) {
    ++count;
    sum += *item;
  }
  std::printf("merged %d values, sum %d\n", count, sum);
  (void)co_await closer.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
