// Ask three mirrors, take the first answer, cancel the others. The results' buffer is as large as the
// number of producers, so that whoever comes late strands nobody.
// Go: results := make(chan string, len(mirrors)); ctx, cancel := context.WithCancel(ctx)
#include <cstdio>
#include <string>

#include "channels/channel.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> fetch(Context& ctx, const char* mirror, Duration latency, Sender<std::string> out) {
  Result<void> arrived = co_await sleep_for(ctx, latency);
  if (!arrived) {
    std::printf("%s: %s\n", mirror, arrived.error().text().c_str());
    co_return;
  }
  std::string page = std::string("page from ") + mirror;
  out.try_send(page);
}

Task<> run(Context& ctx) {
  Channel<std::string> results(ctx.loop(), 3, "results");
  WaitGroup tasks(ctx.loop());
  Context race(ctx);
  spawn(tasks, "slow", fetch(race, "slow", milliseconds(500), results.sender()));
  spawn(tasks, "fast", fetch(race, "fast", milliseconds(2), results.sender()));
  spawn(tasks, "slower", fetch(race, "slower", milliseconds(900), results.sender()));

  Result<std::string> first = co_await results.receive(ctx);
  race.cancel(Error::cancelled("no longer needed"));
  (void)co_await tasks.wait(ctx);
  std::printf("first: %s\n", first->c_str());
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
