// Start a service and learn whether it came up: the bell carries the address, or the reason.
// Go: started := make(chan error, 1)
#include <cstdio>
#include <string>

#include "channels/bell.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<> serve(Context& ctx, bool port_is_free, Ringer<std::string> started) {
  (void)co_await sleep_for(ctx, milliseconds(1));
  if (port_is_free) {
    started.ring("127.0.0.1:8080");
  } else {
    started.never(Error::from_errno(98, "cannot bind 127.0.0.1:8080"));
  }
}

Task<> run(Context& ctx) {
  for (bool port_is_free : {true, false}) {
    Bell<std::string> started(ctx.loop(), "started");
    WaitGroup tasks(ctx.loop());
    const TimePoint asked = ctx.loop().now();
    spawn(tasks, "server", serve(ctx, port_is_free, started.ringer()));
    Outcome outcome = co_await started.wait(ctx);
    if (outcome.rung()) {
      const bool timed = outcome.at >= asked;
      std::printf("listening on %s%s\n", started.value().c_str(), timed ? "" : " before it was asked to");
    } else {
      std::printf("failed: %s\n", outcome.cause.text().c_str());
    }
    (void)co_await tasks.wait(ctx);
  }
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
