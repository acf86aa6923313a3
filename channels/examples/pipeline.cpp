// A row of stages: each owns and closes its output, and a cancel reaches all of them.
// Go: func sq(ctx, in <-chan int) <-chan int { out := make(chan int); go func() { defer close(out); … }() }
#include <cstdio>

#include "channels/error_group.hpp"
#include "channels/pipeline.hpp"
#include "channels/spawn.hpp"

using namespace belfry;

namespace {

Task<Result<void>> count(Context& ctx, int last, Channel<int>& out) {
  const ClosesAtEnd<int> closes(out);  // however it ends
  for (int i = 1; i <= last; ++i) {
    Result<void> sent = co_await out.send(ctx, i);
    if (!sent) co_return sent;
  }
  co_return Result<void>();
}

Result<int> square(int value) { return value * value; }

Task<Result<void>> print(Context& ctx, Receiver<int> in, int most) {
  while (Result<int> value = co_await in.receive(ctx)) {
    std::printf("%d\n", *value);
    if (--most == 0) co_return std::unexpected(Error::cancelled("that is enough"));
  }
  co_return Result<void>();
}

Task<> run_line(Context& ctx, int last, int most) {
  ErrorGroup line(ctx, ErrorGroup::Policy::first_error_cancels, "line");
  Channel<int> numbers(ctx.loop(), 0, "numbers");  // 0: nothing is made before somebody takes it
  Channel<int> squares(ctx.loop(), 2, "squares");  // 2: the next stage comes in bursts
  spawn(line, "count", count(line.context(), last, numbers));
  spawn(line, "square", stage(line.context(), numbers.receiver(), squares, &square));
  spawn(line, "print", print(line.context(), squares.receiver(), most));
  Result<void> ended = co_await line.wait(ctx);
  std::printf("%s\n", ended ? "drained" : ended.error().text().c_str());
}

Task<> run(Context& ctx) {
  co_await run_line(ctx, 3, 10);
  co_await run_line(ctx, 1'000'000, 2);  // the last one leaves early, and nobody stays behind
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
