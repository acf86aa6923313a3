// A deadline goes down with the context, and only the earliest one counts.
// Go: ctx, cancel := context.WithTimeout(parent, d); defer cancel()
#include <cstdio>

#include "channels/bell.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

using namespace belfry;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Task<Result<void>> slow_step(Context& ctx) {
  Context generous = within(ctx, seconds(60));  // the caller's 20 ms still apply
  co_return co_await sleep_for(generous, seconds(10));
}

Task<> run(Context& ctx) {
  {
    Context soon = within(ctx, milliseconds(20));
    Result<void> done = co_await slow_step(soon);
    std::printf("step: %s\n", done ? "done" : done.error().text().c_str());
  }  // out of scope: its timer is free at once
  std::printf("timers left: %zu\n", ctx.loop().timers().size());

  // A bell that never rings does not hold anybody for longer than he wants, and never hears of it.
  Bell<> ready(ctx.loop(), "ready");
  Context patience = within(ctx, milliseconds(1));
  Outcome outcome = co_await ready.wait(patience);
  std::printf("ready: %s\n", outcome.cancelled() ? outcome.cause.text().c_str() : "rung");

  // A task that never suspends hears it as well.
  Context budget = within(ctx, milliseconds(5));
  long rounds = 0;
  while (!budget.cancelled()) ++rounds;
  std::printf("busy: %s\n", rounds > 0 ? budget.cause().text().c_str() : "never began");
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
