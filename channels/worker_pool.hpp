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
#include <utility>

#include "channels/channel.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"

namespace belfry {

// Owner: the one who submits. Lifecycle: working from construction; closed; joined. Destroying it
// before its workers have ended ends the process with its name. Cancellation: the parent's cancel ends
// the workers after the item they are at; what is queued is dropped.
template <class Item>
class WorkerPool {
 public:
  // Called for each item; kept here, so a lambda's captures outlive its coroutines.
  using Work = std::function<Task<>(Context&, Item)>;

  WorkerPool(Context& parent, std::size_t workers, std::size_t queue, const char* name, Work work)
      : context_(parent),
        work_(std::move(work)),
        queue_(parent.loop(), queue, name),
        workers_(parent.loop(), name) {
    for (std::size_t i = 0; i < workers; ++i) spawn(workers_, name, run(*this, name));
  }

  // Result<void>: kind closed after close(). Waits while the queue is full.
  detail::SendWait<Item> submit(Context& ctx, Item item) { return queue_.send(ctx, std::move(item)); }
  bool try_submit(Item& item) { return queue_.try_send(item); }
  std::size_t queued() const noexcept { return queue_.size(); }

  void close() noexcept { queue_.close(); }
  // Result<void>: ok when every worker has ended; the first error of an item that threw (the others
  // were worked on all the same); or the cause of ctx.
  Task<Result<void>> close_and_join(Context& ctx) {
    close();
    Result<void> joined = co_await workers_.wait(ctx);
    if (joined && error_) co_return std::unexpected(error_);
    co_return joined;
  }

 private:
  static Task<> run(WorkerPool& self, const char* name) {
    while (Result<Item> item = co_await self.queue_.receive(self.context_)) {
      try {
        co_await self.work_(self.context_, std::move(*item));
      } catch (...) {
        if (!self.error_) self.error_ = error_from_exception(name, std::current_exception());
      }
    }
  }

  Context context_;
  Work work_;
  Channel<Item> queue_;
  Error error_;
  WaitGroup workers_;
};

}  // namespace belfry
