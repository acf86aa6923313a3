// N workers on one bounded queue.
//
// The problem: of many items only so many may be worked on at once, and whoever brings them faster than that
// must be slowed down instead of filling the memory. At the end what was accepted must be done, and the
// workers must be gone.
//
//   WorkerPool<Job> pool(ctx, 4, 16, "compress", &compress);
//   co_await pool.submit(ctx, job);          // waits while the queue is full
//   co_await pool.close_and_join(ctx);       // no new ones, the rest is done, workers end
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "channels/channel.hpp"
#include "channels/context.hpp"
#include "channels/detail/die.hpp"
#include "channels/detail/task_errors.hpp"
#include "channels/error.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"

namespace belfry {

// Owner: the one who submits. Lifecycle: working from construction; closed; joined. Destroying it
// before its workers have ended ends the process with its name; what items threw and nobody was told is told
// to the loop (Loop::on_unread_error). Cancellation: the parent's cancel closes the queue at once, with the
// cause, and ends the workers after the item they are at. What is queued then is dropped, those among it that
// can be told are (Request), and close_and_join() says how many they were.
template <class Item>
class WorkerPool {
 public:
  // Called for each item; kept here, so a lambda's captures outlive its coroutines.
  using Work = std::function<Task<>(Context&, Item)>;

  // Without workers, who would work? It ends the process with the name.
  WorkerPool(Context& parent, std::size_t workers, std::size_t queue, const char* name, Work work)
      : context_(parent, name),
        work_(std::move(work)),
        queue_(parent.loop(), queue, name),
        working_(workers),
        workers_(parent.loop(), name) {
    if (workers == 0) detail::die("make worker pool", name, "it was given no workers");
    context_.enlist(closing_);
    if (context_.cancelled()) queue_.close(context_.cause());
    for (std::size_t i = 0; i < workers; ++i) spawn(workers_, name, run(*this));
  }
  ~WorkerPool() { errors_.tell(context_.loop(), "destroy worker pool", workers_.name()); }

  // Sent<Item>: kind closed after close(), or after the parent's cancel with its cause; the item comes back
  // then. Waits while the queue is full.
  detail::SendWait<Item> submit(Context& ctx, Item item) { return queue_.send(ctx, std::move(item)); }
  bool try_submit(Item& item) { return queue_.try_send(item); }
  std::size_t queued() const noexcept { return queue_.size(); }

  void close() noexcept { queue_.close(); }
  // Result<void>: ok when every item was worked on and every worker has ended; what items threw (the others
  // were worked on all the same) and how many a cancel has left undone; or the cause of ctx.
  Task<Result<void>> close_and_join(Context& ctx) {
    close();
    Result<void> joined = co_await workers_.wait(ctx);
    if (!joined) co_return joined;
    tell_undone();
    if (errors_.empty()) co_return Result<void>();
    co_return std::unexpected(errors_.read());
  }

 private:
  struct Closing final : detail::CancelLink {
    explicit Closing(WorkerPool& p) noexcept : CancelLink(&Closing::cancelled), pool(p) {}
    static void cancelled(detail::CancelLink& link, detail::CancelRound& round) noexcept {
      static_cast<Closing&>(link).pool.queue_.close(round.cause);
    }
    WorkerPool& pool;
  };

  static Task<> run(WorkerPool& self) {
    while (Result<Item> item = co_await self.queue_.receive(self.context_)) {
      try {
        co_await self.work_(self.context_, std::move(*item));
      } catch (...) {
        self.errors_.put(error_from_exception(self.workers_.name(), std::current_exception()));
      }
    }
    if (--self.working_ == 0) self.undone_ += self.queue_.refuse(self.context_.cause());
  }

  void tell_undone() {
    if (undone_ == 0) return;
    errors_.put(Error(context_.cause().kind(),
                      "cannot do " + std::to_string(std::exchange(undone_, 0)) + " items of worker pool '" +
                          workers_.name() + "'",
                      context_.cause()));
  }

  Context context_;
  Closing closing_{*this};
  Work work_;
  Channel<Item> queue_;
  detail::TaskErrors errors_;
  std::size_t undone_ = 0;
  std::size_t working_;
  WaitGroup workers_;
};

}  // namespace belfry
