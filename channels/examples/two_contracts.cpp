// Two ways to end several tasks, chosen by name: the first error ends all, or all run and every error is
// told. Go: errgroup.WithContext, and a WaitGroup with errors.Join
#include <cstdio>
#include <string>

#include "channels/error_group.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<Result<void>> step(Context& ctx, const char* name, Duration time, bool fails) {
  Result<void> slept = co_await sleep_for(ctx, time);
  if (!slept) {
    std::printf("  %s was stopped\n", name);
    co_return slept;
  }
  std::printf("  %s %s\n", name, fails ? "failed" : "did its part");
  if (fails) co_return std::unexpected(Error::failed(std::string(name) + " is broken"));
  co_return Result<void>();
}

Task<> together(Context& ctx, ErrorGroup::Policy policy) {
  ErrorGroup group(ctx, policy, "group");
  spawn(group, "a", step(group.context(), "a", milliseconds(1), true));
  spawn(group, "b", step(group.context(), "b", milliseconds(30), true));
  spawn(group, "c", step(group.context(), "c", milliseconds(60), false));
  Result<void> ended = co_await group.wait(ctx);
  std::printf("  %s\n", ended ? "ok" : ended.error().text().c_str());
}

Task<> run(Context& ctx) {
  std::puts("starting:");
  co_await together(ctx, ErrorGroup::Policy::first_error_cancels);
  std::puts("closing:");
  co_await together(ctx, ErrorGroup::Policy::all_run);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
