// Ticks at fixed distances: no drift by the time that the work takes, no burst after a pause.
// Go: t := time.NewTicker(d); for range t.C { … }
#include <cstdio>

#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/ticker.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> run(Context& ctx) {
  Ticker recheck(ctx.loop(), milliseconds(20), "recheck");
  const TimePoint begun = ctx.loop().now();
  Result<Tick> first = co_await recheck.next(ctx);
  if (!first) co_return;
  (void)co_await sleep_for(ctx, milliseconds(70));  // the work takes longer than three periods
  Result<Tick> second = co_await recheck.next(ctx);
  Result<Tick> third = co_await recheck.next(ctx);
  if (!second || !third) co_return;
  std::printf("missed any? %s\n", second->missed >= 2 ? "yes, and told once" : "no");
  const Duration between = third->at - first->at;
  std::printf(
      "on its grid: %s\n",
      between % milliseconds(20) == Duration(0) && first->at - begun < milliseconds(25) ? "yes" : "no");
  recheck.stop();
  Result<Tick> none = co_await recheck.next(ctx);
  std::printf("%s\n", none ? "tick" : none.error().text().c_str());
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
