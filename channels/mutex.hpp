// Exclusion that is held across waits: one at a time, or many readers or one writer.
//
// The problem: on one thread nothing else runs between two waits, so what is changed within one turn needs no
// lock at all. But work on one thing (a file, a connection) that waits in the middle can be met by a second
// task in a state that is half done.
//
// First come, first served: who waits is handed the lock before anybody can slip in, and readers who come
// after a waiting writer go after it, so that neither starves. A wait that is cancelled in the turn in which
// it was handed the lock has it; it is in the Permit and goes back with it.
//
//   Result<Permit> lock = co_await journal_lock.lock(ctx);
//   if (!lock) co_return;                       // cancelled
//   co_await write(ctx, entry);                 // still ours
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "channels/semaphore.hpp"
#include "channels/semaphore_case.hpp"

namespace belfry {

// Owner: the one who owns what it protects. Lifecycle: destroyed only when nobody holds it or waits. It knows
// nothing of who holds it: a task that locks it twice waits for itself ("all asleep" names it).
// Cancellation: of a wait (deadline included).
class Mutex {
 public:
  explicit Mutex(Loop& loop, const char* name = "mutex") noexcept : unit_(loop, 1, name, "mutex") {}

  bool locked() const noexcept { return unit_.available() == 0; }
  std::optional<Permit> try_lock() noexcept { return unit_.try_acquire(); }
  // Result<Permit>: the lock, held until the permit goes; or the cause of ctx.
  Semaphore::Acquire lock(Context& ctx) noexcept { return unit_.acquire(ctx); }
  // For a select: auto mine = lock(mutex); … Result<Permit> held = mine.take();
  friend SemaphoreCase lock(Mutex& mutex) noexcept { return acquire(mutex.unit_); }

 private:
  Semaphore unit_;
};

// As Mutex, for readers who do not disturb each other.
class SharedMutex {
 public:
  explicit SharedMutex(Loop& loop, const char* name = "shared mutex") noexcept
      : units_(loop, everybody, name, "shared mutex") {}

  // How many hold it for reading; all of them when a writer does.
  std::size_t readers() const noexcept { return written() ? 0 : everybody - units_.available(); }
  bool written() const noexcept { return units_.available() == 0; }
  std::optional<Permit> try_lock() noexcept { return units_.try_acquire(everybody); }
  std::optional<Permit> try_lock_shared() noexcept { return units_.try_acquire(); }
  // Result<Permit>: alone, or with other readers, until the permit goes; or the cause of ctx.
  Semaphore::Acquire lock(Context& ctx) noexcept { return units_.acquire(ctx, everybody); }
  Semaphore::Acquire lock_shared(Context& ctx) noexcept { return units_.acquire(ctx); }
  friend SemaphoreCase lock(SharedMutex& mutex) noexcept { return acquire(mutex.units_, everybody); }
  friend SemaphoreCase lock_shared(SharedMutex& mutex) noexcept { return acquire(mutex.units_); }

 private:
  static constexpr std::size_t everybody = std::size_t{1} << 32;  // a reader takes one, a writer all
  Semaphore units_;
};

}  // namespace belfry
