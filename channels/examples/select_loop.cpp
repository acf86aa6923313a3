// One task hears of several things: values, a stop, and time.
// Go: for { select { case v, ok := <-in: … case <-stop: … case <-time.After(d): … default: … } }
#include <cstdio>

#include "channels/channel_case.hpp"
#include "channels/handshake.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> worker(Context& ctx, Receiver<int> in) {
  auto item = receive(in);  // the cases are made once, and selected again and again
  auto idle = after(ctx.loop(), milliseconds(40));
  for (;;) {
    switch (co_await select(ctx, item, idle)) {
      case 0:
        if (Result<int> value = item.take()) {
          std::printf("value %d\n", *value);
          idle.target(ctx.loop().now() + milliseconds(40));  // a new deadline replaces the old one
        } else {
          std::puts("closed");
          item.reset();  // a nil channel: never ready again
        }
        break;
      case 1:
        std::puts("idle");
        idle.reset();
        break;
      default:  // select_cancelled: <-ctx.Done()
        std::printf("%s\n", ctx.cause().text().c_str());
        co_return;
    }
  }
}

Task<> run(Context& ctx) {
  Channel<int> values(ctx.loop(), 0, "values");
  Handshake work(ctx, "worker");
  spawn(work, worker(work.context(), values.receiver()));
  for (int i = 1; i <= 2; ++i) (void)co_await values.send(ctx, i);
  (void)co_await sleep_for(ctx, milliseconds(120));
  values.close();
  (void)co_await sleep_for(ctx, milliseconds(5));
  (void)co_await work.stop(ctx);

  // default: look, and go on.
  Bell<> news(ctx.loop(), "news");
  auto heard = on(news);
  auto none = otherwise();
  for (int i = 0; i < 2; ++i) {
    const std::size_t which = co_await select(ctx, heard, none);
    std::puts(which == 0 ? "news" : "no news");
    news.ring();
  }
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
