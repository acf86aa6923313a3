// What is dear to make is made once, by the first who needs it; the others wait for the same result.
// Go: sync.Once, singleflight.Group
#include <cstdio>
#include <string>

#include "channels/once.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<Result<std::string>> load(Context& ctx) {
  std::puts("loading");
  Result<void> slept = co_await sleep_for(ctx, milliseconds(30));
  if (!slept) co_return std::unexpected(slept.error());
  co_return "certificates";
}

Task<> use(Context& ctx, Once<std::string>& shared, int number) {
  Result<std::string*> value = co_await shared.get(ctx);
  std::printf("user %d: %s\n", number, value ? (*value)->c_str() : value.error().text().c_str());
}

Task<> run(Context& ctx) {
  Once<std::string> shared(ctx, "certificates", [](Context& c) { return load(c); });
  WaitGroup users(ctx.loop());
  Context impatient = within(ctx, milliseconds(5));
  spawn(users, "user", use(impatient, shared, 1));  // it came first, and leaves alone
  spawn(users, "user", use(ctx, shared, 2));
  spawn(users, "user", use(ctx, shared, 3));
  (void)co_await users.wait(ctx);
  co_await use(ctx, shared, 4);
  (void)co_await shared.stop(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
