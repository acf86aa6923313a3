// A stage of a pipeline: reads until its input ends, writes what it makes, and closes what it writes to.
//
// The problem: in a row of tasks each waits for the one before it and for the one after it. If one of them
// ends without closing its output, those behind it wait for ever; if the last one ends early, those before it
// do.
//
// The rules: each stage owns its output, is the only one that closes it, and does so however it ends (also
// when it throws). A cancel reaches all of them, because each send and each receive is given the context;
// whoever leaves early cancels it.
//
//   ErrorGroup line(ctx, ErrorGroup::Policy::first_error_cancels, "line");
//   Channel<Line> lines(loop, 0, "lines");        // 0: a stage works while the next one does
//   Channel<Event> events(loop, 16, "events");    // 16: the reader comes in bursts
//   spawn(line, "parse", stage(line.context(), lines.receiver(), events, &parse));
#pragma once

#include <type_traits>
#include <utility>

#include "channels/channel.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"

namespace belfry {

// Closes a channel at the end of a block. For stages that are written by hand, and for sources.
template <class T>
class [[nodiscard]] ClosesAtEnd {
 public:
  explicit ClosesAtEnd(Channel<T>& channel) noexcept : channel_(channel) {}
  ClosesAtEnd(const ClosesAtEnd&) = delete;
  ClosesAtEnd& operator=(const ClosesAtEnd&) = delete;
  ~ClosesAtEnd() {
    if (!detail::abandoning) channel_.close();
  }

 private:
  Channel<T>& channel_;
};

// `step` makes a Result<Out> of an In, at once or as a Task: Result<Out>(In), Task<Result<Out>>(Context&,
// In). Result<void>: ok when the input was closed and drained; the first error of `step`; or the cause of
// ctx.
template <class In, class Out, class Step>
Task<Result<void>> stage(Context& ctx, Receiver<In> in, Channel<Out>& out, Step step) {
  const ClosesAtEnd<Out> closes(out);
  for (;;) {
    Result<In> item = co_await in.receive(ctx);
    if (!item && item.error().kind() == Error::Kind::closed && !ctx.cancelled()) co_return Result<void>();
    if (!item) co_return std::unexpected(std::move(item.error()));
    Result<Out> made = std::unexpected(Error());
    if constexpr (std::is_invocable_v<Step&, Context&, In>) {
      made = co_await step(ctx, std::move(*item));
    } else {
      made = step(std::move(*item));
    }
    if (!made) co_return std::unexpected(std::move(made.error()));
    Result<void> sent = co_await out.send(ctx, std::move(*made));
    if (!sent) co_return sent;
  }
}

}  // namespace belfry
