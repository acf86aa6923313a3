// The connections that may be given up, oldest first: the ones to go when a new one needs the place.
#pragma once

#include <cstddef>

#include "channels/context.hpp"
#include "channels/intrusive_list.hpp"

namespace belfry::daemon::http {

class Evictable;

// Everybody who is in one and the same situation, and the memory that they hold together.
// Owner: Admission. Lifecycle: longer than its places.
class EvictionList {
 public:
  [[nodiscard]] bool empty() const { return places_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Tells the first one to go; false when there is none.
  bool give_up_first();

 private:
  friend class Evictable;
  IntrusiveList<Evictable> places_;
  std::size_t bytes_ = 0;
};

// Owner: the session's wait. Lifecycle: in the list from construction to destruction, or until it is given
// up. Cancellation: to be given up cancels its context.
class Evictable final : public IntrusiveLink {
 public:
  Evictable(EvictionList& list, Context& waiting) : list_(list), waiting_(waiting) {
    list.places_.push_back(*this);
  }
  Evictable(const Evictable&) = delete;
  Evictable& operator=(const Evictable&) = delete;
  ~Evictable() { hold(0); }

  // What it keeps in memory, in bytes. Nothing once it has been given up: that goes with its frame.
  void hold(std::size_t bytes) {
    if (!linked()) return;
    list_.bytes_ = list_.bytes_ - bytes_ + bytes;
    bytes_ = bytes;
  }
  // It has got on: whoever has not for longer goes before it.
  void got_on() {
    if (!linked()) return;
    unlink();
    list_.places_.push_back(*this);
  }
  [[nodiscard]] bool is_first() const { return linked() && list_.places_.first() == this; }

 private:
  friend class EvictionList;
  void give_up() {
    hold(0);
    unlink();
    waiting_.cancel(Error(Error::Kind::refused, "given up for somebody else"));
  }

  EvictionList& list_;
  Context& waiting_;
  std::size_t bytes_ = 0;
};

// Its place is somebody else's, who waits for it: also where what it waited for came in the same moment.
inline bool was_given_up(const Context& ctx) {
  return ctx.cancelled() && ctx.cause().kind() == Error::Kind::refused;
}

inline bool EvictionList::give_up_first() {
  if (places_.empty()) return false;
  places_.front().give_up();
  return true;
}

}  // namespace belfry::daemon::http
