// During an outage news is held: bounded, each for as long as it is of use, and whoever brought it is told.
// Go: a goroutine with a slice, a timer and select
#include <cstdio>
#include <string>

#include "channels/bell.hpp"
#include "channels/hold_buffer.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Task<> publish(Context& ctx, HoldBuffer<std::string>& held, bool& there, Bell<>& recovered) {
  for (;;) {
    auto entry = co_await held.next(ctx);
    if (!entry) co_return;
    if (there) {
      std::printf("published %s\n", entry->value.c_str());
      continue;
    }
    held.put_back(std::move(*entry));
    (void)co_await recovered.wait(ctx);
  }
}

Task<> run(Context& ctx) {
  bool there = false;
  Bell<> recovered(ctx.loop(), "recovered");
  HoldBuffer<std::string> held(ctx.loop(), 3, "events", [](const std::string& event, const Error& why) {
    std::printf("dropped %s: %s\n", event.c_str(), why.text().c_str());
  });
  WaitGroup tasks(ctx.loop());
  spawn(tasks, "publisher", publish(ctx, held, there, recovered));
  held.put("a");
  held.put("b", ctx.loop().now() + milliseconds(10));  // of no use after that
  held.put("c");
  (void)co_await sleep_for(ctx, milliseconds(50));
  held.put("d");
  held.put("e");  // full: the oldest goes
  there = true;
  recovered.ring();
  held.close();
  (void)co_await tasks.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
