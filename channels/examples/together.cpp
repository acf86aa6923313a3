// Several pieces of work as one: all of their values, the first one, or a value that is fetched later.
// Go: errgroup with captured variables; a channel for each result; the first of several
#include <cstdio>
#include <string>

#include "channels/sleep.hpp"
#include "channels/spawn_value.hpp"
#include "channels/when_all.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<Result<std::string>> fetch(Context& ctx, std::string what, Duration time) {
  Result<void> slept = co_await sleep_for(ctx, time);
  if (!slept) {
    std::printf("%s is not needed any more\n", what.c_str());
    co_return std::unexpected(slept.error());
  }
  if (what == "nothing") co_return std::unexpected(Error::failed("there is nothing"));
  co_return what;
}
Task<Result<int>> count(Context& ctx) {
  Result<void> slept = co_await sleep_for(ctx, milliseconds(1));
  if (!slept) co_return std::unexpected(slept.error());
  co_return 3;
}

Task<> run(Context& ctx) {
  // All: a tuple, or the first error, which ends the others.
  auto both = co_await when_all(
      ctx, [](Context& c) { return fetch(c, "orders", milliseconds(2)); },
      [](Context& c) { return count(c); });
  if (both) {
    auto& [what, number] = *both;
    std::printf("%d %s\n", number, what.c_str());
  }
  auto failed = co_await when_all(
      ctx, [](Context& c) { return fetch(c, "a", milliseconds(500)); },
      [](Context& c) { return fetch(c, "nothing", milliseconds(1)); });
  std::printf("%s\n", failed ? "both" : failed.error().text().c_str());

  // The first: the others are cancelled, and have ended when it returns.
  auto first = co_await race(
      ctx, [](Context& c) { return fetch(c, "tortoise", milliseconds(500)); },
      [](Context& c) { return fetch(c, "hare", milliseconds(1)); });
  if (first) std::printf("number %zu, the %s\n", first->index, first->value.c_str());

  // Later: the handle gives the value.
  ValueHandle<Result<int>> later = spawn(ctx.loop(), "count", count(ctx));
  Result<int> number = co_await later.join(ctx);
  std::printf("%d\n", number.value_or(-1));
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
