// Eight units of memory, jobs of different size, first come first served, with a deadline.
// Go: sem := semaphore.NewWeighted(8); err := sem.Acquire(ctx, 3)
#include <cstdio>

#include "channels/semaphore.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

struct Job {
  const char* name;
  std::size_t units;
  Duration takes;
  Duration patience;
};

Task<> work(Context& ctx, Semaphore& memory, Job job) {
  Context limited(ctx, ctx.loop().now() + job.patience);
  Result<Permit> permit = co_await memory.acquire(limited, job.units);
  if (!permit) {
    std::printf("%s: %s\n", job.name, permit.error().text().c_str());
    co_return;
  }
  std::printf("%s: runs\n", job.name);
  (void)co_await sleep_for(ctx, job.takes);
}  // the permit goes back here

Task<> run(Context& ctx) {
  Semaphore memory(ctx.loop(), 8, "memory");
  WaitGroup jobs(ctx.loop());
  const Duration long_enough = milliseconds(5000);
  spawn(jobs, "index", work(ctx, memory, {"index", 5, milliseconds(20), long_enough}));
  spawn(jobs, "hasty", work(ctx, memory, {"hasty", 6, milliseconds(1), milliseconds(5)}));
  spawn(jobs, "scan", work(ctx, memory, {"scan", 3, milliseconds(1), long_enough}));
  spawn(jobs, "sort", work(ctx, memory, {"sort", 8, milliseconds(1), long_enough}));
  (void)co_await jobs.wait(ctx);
  std::printf("%zu of %zu units are free\n", memory.available(), memory.capacity());
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
