// Things that are few and dear (connections), lent to those who need one for a while.
//
// The problem: as a semaphore, but what is handed over is a thing. A waiter that gives up in the moment in
// which it is handed one must not lose it; one that breaks must be replaced, and the place of one that could
// not be made must go to the next who waits.
//
// Waiters stand in the queue of a semaphore (first come, first served) and the things stand aside: a wait
// holds a place, never a thing, so no lost wait can lose one. The last one that came back is lent first, so
// that the others grow old and can be given up.
//
//   Pool<Connection> pool(loop, 4, "database", [&](Context& c) { return connect(c, address); });
//   Result<Pool<Connection>::Lease> lease = co_await pool.borrow(ctx);
//   if (!lease) …                                 // cancelled, closed, or it could not be made
//   if (!co_await query(ctx, **lease)) lease->discard();   // broken: not given back
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channels/bell.hpp"
#include "channels/error.hpp"
#include "channels/select.hpp"
#include "channels/semaphore_case.hpp"
#include "channels/task.hpp"

namespace belfry {

// Owner: the one whose things they are; must outlive every lease, checked with its name. Lifecycle: open;
// closed: nothing is lent any more, whoever waits is told, what comes back is destroyed. Cancellation: of a
// borrow(), which then holds nothing.
template <class T>
class Pool {
 public:
  // Makes a thing when one is needed and fewer than `most` are there. Kept here, so a lambda's captures
  // outlive its coroutine.
  using Make = std::move_only_function<Task<Result<T>>(Context&)>;

  Pool(Loop& loop, std::size_t most, const char* name, Make make)
      : places_(loop, most, name, "pool"), closed_(loop, name), make_(std::move(make)) {}

  // A thing on loan: it goes back when the lease is destroyed, unless it was discarded. Move-only.
  class [[nodiscard]] Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          place_(std::move(other.place_)),
          thing_(std::move(other.thing_)) {}
    Lease& operator=(Lease&& other) noexcept {
      if (this == &other) return *this;
      give_back();
      pool_ = std::exchange(other.pool_, nullptr);
      place_ = std::move(other.place_);
      thing_ = std::move(other.thing_);
      return *this;
    }
    ~Lease() { give_back(); }

    T& operator*() noexcept { return *thing_; }
    T* operator->() noexcept { return &*thing_; }
    // It is broken: destroyed here, and another one is made when one is needed.
    void discard() noexcept {
      pool_ = nullptr;
      thing_.reset();
      place_.release();
    }

   private:
    friend class Pool;
    Lease(Pool& pool, Permit place, T thing)
        : pool_(&pool), place_(std::move(place)), thing_(std::move(thing)) {}
    void give_back() noexcept {
      Pool* pool = std::exchange(pool_, nullptr);
      if (pool == nullptr || detail::abandoning) return;
      pool->take_back(std::move(*thing_));
      discard();
    }

    Pool* pool_;
    Permit place_;
    std::optional<T> thing_;
  };

  // Result<Lease>: a thing that was given back, or a new one; the error of making it; kind closed; or the
  // cause of ctx.
  Task<Result<Lease>> borrow(Context& ctx) {
    auto turn = acquire(places_);
    auto closed = on(closed_);
    const std::size_t which = co_await select(ctx, turn, closed);
    if (which == select_cancelled) co_return std::unexpected(ctx.cause());
    if (closed_.ended()) co_return std::unexpected(closed_error());
    Result<Permit> place = turn.take();
    if (!place) co_return std::unexpected(place.error());
    if (!idle_.empty()) {
      T thing = std::move(idle_.back());
      idle_.pop_back();
      co_return Lease(*this, std::move(*place), std::move(thing));
    }
    Result<T> made = co_await make_(ctx);
    if (!made) co_return std::unexpected(made.error());
    if (closed_.ended()) co_return std::unexpected(closed_error());
    co_return Lease(*this, std::move(*place), std::move(*made));
  }

  // Things that stand aside, ready to be lent; and places that are not lent, made or not.
  std::size_t idle() const noexcept { return idle_.size(); }
  std::size_t available() const noexcept { return places_.available(); }
  std::size_t waiting() const noexcept { return places_.waiting(); }
  // Destroys what stands aside, for instance when it has been there for long.
  void clear() noexcept { idle_.clear(); }

  // Whoever waits is told. False when it was closed before.
  bool close() noexcept {
    clear();
    return closed_.ring();
  }
  bool closed() const noexcept { return closed_.ended(); }
  // Result<void>: ok when every lease has come back; or the cause of ctx.
  Task<Result<void>> close_and_join(Context& ctx) {
    close();
    Result<Permit> all = co_await places_.acquire(ctx, places_.capacity());
    if (!all) co_return std::unexpected(all.error());
    co_return Result<void>();
  }

 private:
  void take_back(T thing) noexcept {
    if (!closed_.ended()) idle_.push_back(std::move(thing));
  }
  Error closed_error() const {
    return Error::closed(std::string("cannot borrow from pool '") + closed_.name() + "': it is closed");
  }

  Semaphore places_;
  Bell<> closed_;
  Make make_;
  std::vector<T> idle_;
};

}  // namespace belfry
