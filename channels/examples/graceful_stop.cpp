// A signal becomes a bell; what is under way ends; then the resources close.
// Go: ctx, stop := signal.NotifyContext(…); <-ctx.Done(); server.Shutdown(…); db.Close()
#include <csignal>
#include <cstdio>

#include "channels/asio_bridge.hpp"
#include "channels/channel.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> hear_signals(Context& ctx, Ringer<int> stop) {
  asio::signal_set signals(ctx.loop().io(), SIGTERM, SIGINT);
  auto [error, number] = co_await async(ctx, signals.async_wait(deferred));
  if (!error) stop.ring(number);
}

Task<> work(Context& ctx, Receiver<int> jobs) {
  while (Result<int> job = co_await jobs.receive(ctx)) {
    (void)co_await sleep_for(ctx, milliseconds(5));
    std::printf("job %d done\n", *job);
  }
}

Task<> run(Context& ctx) {
  Bell<int> stop(ctx.loop(), "stop");
  Channel<int> jobs(ctx.loop(), 8, "jobs");
  Context working(ctx);
  WaitGroup tasks(ctx.loop());
  spawn(tasks, "signals", hear_signals(working, stop.ringer()));
  spawn(tasks, "worker", work(working, jobs.receiver()));
  for (int i = 1; i <= 3; ++i) (void)jobs.try_send(i);
  (void)co_await sleep_for(ctx, milliseconds(1));
  (void)std::raise(SIGTERM);

  Result<int> number = co_await stop.get(ctx);  // 1. the signal
  std::printf("signal: %s\n", number.value_or(0) == SIGTERM ? "SIGTERM" : "another");
  jobs.close();  // 2. nothing new; what was accepted is done
  Context patience = within(ctx, std::chrono::seconds(5));
  Result<void> drained = co_await tasks.wait(patience);
  if (!drained) working.cancel();
  std::puts(drained ? "drained, closing" : "out of patience, closing");  // 3. the resources
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
