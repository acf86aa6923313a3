// Three workers on a bounded queue: submitting waits while it is full; close, drain, join.
// Go: jobs := make(chan job, 4); for i := 0; i < 3; i++ { go worker(jobs) }; close(jobs); wg.Wait()
#include "channels/worker_pool.hpp"

#include <cstdio>

#include "channels/sleep.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

struct Tally {
  int done = 0;
  int at_once = 0;
  int most = 0;
};

Task<> compress(Context& ctx, Tally& tally, int file) {
  if (++tally.at_once > tally.most) tally.most = tally.at_once;
  (void)co_await sleep_for(ctx, milliseconds(1 + file % 3));
  --tally.at_once;
  ++tally.done;
}

Task<> run(Context& ctx) {
  Tally tally;
  WorkerPool<int> pool(ctx, 3, 4, "compress",
                       [&tally](Context& c, int file) { return compress(c, tally, file); });
  for (int file = 0; file < 12; ++file) {
    Result<void> submitted = co_await pool.submit(ctx, file);
    if (!submitted) break;
  }
  Result<void> joined = co_await pool.close_and_join(ctx);
  std::printf("%d files, at most %d at once, %s\n", tally.done, tally.most, joined ? "all well" : "failed");
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
