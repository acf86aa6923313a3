// The connections that wait for a request, longest first: the ones to give up when a new one needs the place.
#pragma once

#include "channels/context.hpp"

namespace belfry::daemon::http {

class IdleList;

// Owner: the session's wait. Lifecycle: in the list from construction to destruction, or until it is evicted.
// Cancellation: eviction cancels its context.
class IdlePlace {
 public:
  IdlePlace(IdleList& list, Context& waiting);
  IdlePlace(const IdlePlace&) = delete;
  IdlePlace& operator=(const IdlePlace&) = delete;
  ~IdlePlace() { leave(); }

 private:
  friend class IdleList;
  IdlePlace() : previous_(this), next_(this) {}
  void leave() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

  IdlePlace* previous_;
  IdlePlace* next_;
  Context* waiting_ = nullptr;
};

class IdleList {
 public:
  // Tells the one that has been idle longest to go; false when none is idle.
  bool evict_oldest() {
    if (ring_.next_ == &ring_) return false;
    IdlePlace& oldest = *ring_.next_;
    oldest.leave();
    oldest.waiting_->cancel(Error(Error::Kind::refused, "given up for a new connection"));
    return true;
  }

 private:
  friend class IdlePlace;
  IdlePlace ring_;
};

inline IdlePlace::IdlePlace(IdleList& list, Context& waiting)
    : previous_(list.ring_.previous_), next_(&list.ring_), waiting_(&waiting) {
  previous_->next_ = this;
  next_->previous_ = this;
}

}  // namespace belfry::daemon::http
