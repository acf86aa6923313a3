// A long piece of work lets others in, hears its deadline, or goes to a thread and comes back by the mailbox.
// Go: runtime.Gosched(), select with default, go f()
#include <cstdio>
#include <string>

#include "channels/run_blocking.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> tick(Context& ctx, int& ticks) {
  while (Result<void> slept = co_await sleep_for(ctx, milliseconds(1))) ++ticks;
}

Task<> grind_politely(Context& ctx, const int& ticks) {
  auto none = otherwise();
  while (ticks < 3 && co_await select(ctx, none) == 0)
    co_await yield_to_all(ctx.loop());  // others run meanwhile
  std::puts("the ticker ran beside it");
}

Task<> grind_until_deadline(Context& ctx) {
  Context budget = within(ctx, milliseconds(10));
  auto none = otherwise();
  long rounds = 0;
  while (co_await select(budget, none) == 0) ++rounds;  // never suspends, and hears its deadline all the same
  std::printf("%s after more than one round: %s\n", budget.cause().text().c_str(), rounds > 1 ? "yes" : "no");
}

Task<> run(Context& ctx) {
  Context ticking(ctx);
  WaitGroup tasks(ctx.loop());
  int ticks = 0;
  spawn(tasks, "ticker", tick(ticking, ticks));
  co_await grind_politely(ctx, ticks);
  co_await grind_until_deadline(ctx);

  const std::string text(1'000'000, 'x');
  Result<std::size_t> sum = co_await run_blocking(ctx, [text] {  // CPU work: a thread, and the loop goes on
    std::size_t total = 0;
    for (const char c : text) total += static_cast<unsigned char>(c);
    return total;
  });
  std::printf("sum %zu\n", sum.value_or(0));
  ticking.cancel();
  (void)co_await tasks.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
