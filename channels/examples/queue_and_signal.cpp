// Data in a queue and one signal beside it: one wake-up drains many.
// Go: mu.Lock(); q = append(q, x); mu.Unlock(); select { case wake <- struct{}{}: default: }
#include <cstdio>
#include <vector>

#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "channels/wakeup.hpp"

using namespace belfry;

namespace {

struct Commands {
  explicit Commands(Loop& loop) : news(loop, "commands") {}
  Wakeup news;
  std::vector<int> waiting;

  void put(int command) {  // from anywhere on the loop; never waits
    waiting.push_back(command);
    news.notify();
  }
};

Task<> work(Context& ctx, Commands& commands) {
  while (Result<void> woken = co_await commands.news.wait(ctx)) {
    const std::vector<int> batch = std::exchange(commands.waiting, {});
    std::printf("%zu at once, the last is %d\n", batch.size(), batch.back());
  }
}

Task<> run(Context& ctx) {
  Commands commands(ctx.loop());
  Context working(ctx);
  WaitGroup tasks(ctx.loop());
  spawn(tasks, "worker", work(working, commands));
  for (int i = 1; i <= 1000; ++i) commands.put(i);
  co_await yield_to_all(ctx.loop());
  commands.put(1001);
  co_await yield_to_all(ctx.loop());
  working.cancel();
  (void)co_await tasks.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
