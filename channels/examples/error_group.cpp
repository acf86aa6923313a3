// Start everything or nothing; close everything whatever happens.
// Go: g, ctx := errgroup.WithContext(ctx); g.Go(…); err := g.Wait()
#include "channels/error_group.hpp"

#include <cstdio>
#include <string>

#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

Task<Result<void>> work(Context& ctx, Duration takes, std::string error) {
  Result<void> slept = co_await sleep_for(ctx, takes);
  if (!slept) co_return slept;
  if (!error.empty()) co_return std::unexpected(Error(Error::Kind::failed, error));
  co_return Result<void>();
}

Task<> report(Context& ctx, const char* what, ErrorGroup& group) {
  Result<void> ended = co_await group.wait(ctx);
  std::printf("%s: %s\n", what, ended ? "ok" : ended.error().text().c_str());
}

Task<> run(Context& ctx) {
  ErrorGroup start(ctx, ErrorGroup::Policy::first_error_cancels, "start");
  spawn(start, "cache", work(start.context(), milliseconds(900), ""));
  spawn(start, "database", work(start.context(), milliseconds(2), "no such database"));
  co_await report(ctx, "start", start);

  ErrorGroup close(ctx, ErrorGroup::Policy::all_run, "close");
  spawn(close, "files", work(close.context(), milliseconds(1), "disk full"));
  spawn(close, "sockets", work(close.context(), milliseconds(2), ""));
  spawn(close, "logs", work(close.context(), milliseconds(3), "broken pipe"));
  co_await report(ctx, "close", close);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
