// Exclusion that is held across a wait; within one turn none is needed.
// Go: mu.Lock(); defer mu.Unlock(); rw.RLock()
#include <cstdio>

#include "channels/mutex.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

int entries = 0;  // ++entries needs no lock: nobody else runs until the next co_await

Task<> write(Context& ctx, Mutex& journal, const char* name) {
  Result<Permit> lock = co_await journal.lock(ctx);
  if (!lock) co_return;
  std::printf("%s begins\n", name);
  (void)co_await sleep_for(ctx, milliseconds(5));  // half an entry is in the file: nobody else may write
  std::printf("%s ends, entry %d\n", name, ++entries);
}  // the permit goes, and the next in the queue has it before anybody can slip in

Task<> read(Context& ctx, SharedMutex& history, int& together) {
  Result<Permit> lock = co_await history.lock_shared(ctx);
  if (!lock) co_return;
  together = static_cast<int>(history.readers());
  (void)co_await sleep_for(ctx, milliseconds(5));
}

Task<> run(Context& ctx) {
  Mutex journal(ctx.loop(), "journal");
  WaitGroup tasks(ctx.loop());
  spawn(tasks, "writer", write(ctx, journal, "a"));
  spawn(tasks, "writer", write(ctx, journal, "b"));
  (void)co_await tasks.wait(ctx);

  SharedMutex history(ctx.loop(), "history");
  int together = 0;
  for (int i = 0; i < 3; ++i) spawn(tasks, "reader", read(ctx, history, together));
  (void)co_await tasks.wait(ctx);
  std::printf("%d read at once; free: %s\n", together, history.try_lock() ? "yes" : "no");
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
