// Every subscriber gets every value; a slow one loses its oldest, is told how many, and slows nobody.
// Go: a channel for each subscriber, with select { case s <- v: default: <-s; s <- v }
#include <cstdio>

#include "channels/broadcast.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> listen(Context& ctx, Broadcast<int>& radio, const char* name, Duration each) {
  Subscription<int> news(radio, 2);  // 2: what may stand there unread; the newest matter more than all
  for (;;) {
    Result<Received<int>> item = co_await news.next(ctx);
    if (!item) break;
    if (item->missed > 0)
      std::printf("%s missed %llu\n", name, static_cast<unsigned long long>(item->missed));
    std::printf("%s: %d\n", name, item->value);
    (void)co_await sleep_for(ctx, each);
  }
  std::printf("%s: over\n", name);
}

Task<> run(Context& ctx) {
  Broadcast<int> radio(ctx.loop(), "radio");
  WaitGroup listeners(ctx.loop());
  spawn(listeners, "slow", listen(ctx, radio, "slow", milliseconds(100)));
  (void)co_await sleep_for(ctx, milliseconds(1));
  for (int i = 1; i <= 5; ++i) radio.publish(i);  // never waits
  (void)co_await sleep_for(ctx, milliseconds(1));
  spawn(listeners, "late", listen(ctx, radio, "late", milliseconds(0)));
  (void)co_await sleep_for(ctx, milliseconds(1));
  radio.publish(6);
  (void)co_await sleep_for(ctx, milliseconds(1));
  radio.close();
  (void)co_await listeners.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
