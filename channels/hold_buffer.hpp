// Holds what cannot be delivered now, until it can, or until it is too old.
//
// The problem: the other side is away for a while (an outage, a slow reader). Whoever has news must not wait
// for it, memory must not grow without bound, and news that nobody can use any more must not be delivered
// late. And whoever brought what is not delivered must hear of it.
//
// put() never waits. Each entry may have a deadline; when it passes, or when the buffer is full and something
// newer comes, the entry goes and its owner is told why. After the outage next() gives the oldest first; what
// could not be delivered after all is put back at the front, with the deadline that it had.
//
//   HoldBuffer<Event> held(loop, 1000, "events", [](Event event, const Error& why) { … });
//   held.put(event, loop.now() + 30s);
//   while (Result<HoldBuffer<Event>::Entry> entry = co_await held.next(ctx)) {
//     if (!co_await publish(ctx, entry->value)) { held.put_back(std::move(*entry)); co_await recovered(ctx);
//     }
//   }
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "channels/detail/frame_pool.hpp"
#include "channels/error.hpp"
#include "channels/intrusive_list.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "channels/timer_queue.hpp"
#include "channels/wakeup.hpp"

namespace belfry {

// Owner: the one who delivers, the only one that calls next(). Lifecycle: open; closed: drained, then ended.
// What is left when it is destroyed is told, too. Cancellation: of a next(); what is held stays.
template <class T>
class HoldBuffer {
 public:
  struct Entry {
    T value;
    TimePoint deadline = TimePoint::max();
  };
  // Told of what is not delivered: kind deadline_exceeded (too old), refused (the oldest of too many) or
  // closed (left at the end). Must not call the buffer.
  using Dropped = std::move_only_function<void(T value, const Error& why)>;

  // Precondition: most > 0.
  HoldBuffer(Loop& loop, std::size_t most, const char* name, Dropped dropped)
      : loop_(loop), news_(loop, name), most_(most), dropped_(std::move(dropped)) {}
  ~HoldBuffer() {
    while (!held_.empty()) drop(held_.front(), detail::abandoning ? nullptr : "is gone", Error::Kind::closed);
  }
  HoldBuffer(const HoldBuffer&) = delete;
  HoldBuffer& operator=(const HoldBuffer&) = delete;

  // Takes it in, whatever has to go for it. After close() it goes at once, and is told.
  void put(T value, TimePoint deadline = TimePoint::max()) {
    if (closed_) {
      dropped_(std::move(value), error("is closed", Error::Kind::closed));
      return;
    }
    if (size_ == most_) drop(held_.front(), "is full", Error::Kind::refused);
    hold({std::move(value), deadline}, false);
  }
  // What next() gave and could not be delivered is the oldest again; when the buffer is full by now, or its
  // deadline has passed, it goes and is told.
  void put_back(Entry entry) {
    if (size_ == most_) return dropped_(std::move(entry.value), error("is full", Error::Kind::refused));
    hold(std::move(entry), true);
  }

  // Result<Entry>: the oldest; kind closed when it is closed and drained; or the cause of ctx.
  Task<Result<Entry>> next(Context& ctx) {
    for (;;) {
      if (!ctx.cancelled() && !held_.empty()) {
        std::unique_ptr<Held> oldest(&held_.front());
        leave(*oldest);
        co_return std::move(oldest->entry);
      }
      if (closed_) co_return std::unexpected(error("is closed", Error::Kind::closed));
      Result<void> more = co_await news_.wait(ctx);
      if (!more) co_return std::unexpected(more.error());
    }
  }

  std::size_t size() const noexcept { return size_; }
  void close() noexcept {
    closed_ = true;
    news_.notify();
  }

 private:
  struct Held final : IntrusiveLink, detail::TimerNode, detail::Pooled {
    Held(HoldBuffer& o, Entry e) : TimerNode(&HoldBuffer::too_old), owner(o), entry(std::move(e)) {}
    HoldBuffer& owner;
    Entry entry;
  };

  void hold(Entry entry, bool as_oldest) {
    auto* held = new Held(*this, std::move(entry));
    if (as_oldest) {
      IntrusiveList<Held> all;
      all.push_back(*held);
      all.splice_back(held_);
      held_.splice_back(all);
    } else {
      held_.push_back(*held);
    }
    ++size_;
    if (held->entry.deadline != TimePoint::max()) loop_.timers().arm(*held, held->entry.deadline);
    news_.notify();
  }
  void leave(Held& held) noexcept {
    if (held.armed()) loop_.timers().cancel(held);
    held.unlink();
    --size_;
  }
  void drop(Held& held, const char* why, Error::Kind kind) {
    std::unique_ptr<Held> gone(&held);
    leave(held);
    if (why != nullptr) dropped_(std::move(held.entry.value), error(why, kind));
  }
  static void too_old(detail::TimerNode& node) noexcept {
    auto& held = static_cast<Held&>(node);
    held.owner.drop(held, "held it for too long", Error::Kind::deadline_exceeded);
  }
  Error error(const char* why, Error::Kind kind) {
    return Error(kind, std::string("buffer '") + news_.place().name + "' " + why);
  }

  Loop& loop_;
  Wakeup news_;
  std::size_t most_;
  Dropped dropped_;
  IntrusiveList<Held> held_;
  std::size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace belfry
