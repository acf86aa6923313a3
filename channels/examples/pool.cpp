// Few connections for many users: a broken one is replaced, and none is lost to a user who gave up.
// Go: sql.DB, a buffered channel of connections
#include <cstdio>

#include "channels/pool.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

struct Connection {
  int number;
};

Task<Result<Connection>> connect(Context& ctx, int& made) {
  Result<void> slept = co_await sleep_for(ctx, milliseconds(2));
  if (!slept) co_return std::unexpected(slept.error());
  co_return Connection{++made};
}

Task<> query(Context& ctx, Pool<Connection>& pool, const char* name, bool breaks) {
  auto lease = co_await pool.borrow(ctx);
  if (!lease) {
    std::printf("%s: %s\n", name, lease.error().text().c_str());
    co_return;
  }
  (void)co_await sleep_for(ctx, milliseconds(50));
  std::printf("%s used connection %d\n", name, (*lease)->number);
  if (breaks) lease->discard();
}

Task<> run(Context& ctx) {
  int made = 0;
  Pool<Connection> pool(ctx.loop(), 1, "database", [&made](Context& c) { return connect(c, made); });
  WaitGroup users(ctx.loop());
  spawn(users, "user", query(ctx, pool, "a", false));
  Context impatient = within(ctx, milliseconds(20));
  spawn(users, "user", query(impatient, pool, "impatient", false));
  spawn(users, "user", query(ctx, pool, "b", true));  // it breaks
  spawn(users, "user", query(ctx, pool, "c", false));
  (void)co_await users.wait(ctx);
  (void)co_await pool.close_and_join(ctx);
  std::printf("%d were made\n", made);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
