// How a wait hears that its context was cancelled.
#pragma once

#include <new>
#include <utility>

#include "channels/error.hpp"
#include "channels/intrusive_list.hpp"

namespace belfry {
class Loop;
}

namespace belfry::detail {

struct CancelRound;

// A place in a context's list: of something that waits, or of a child context. Idle, then linked,
// then idle again or cancelled; when cancelled it keeps the cause in the space of the callback.
// Owner: the waiting object. Lifecycle: as IntrusiveLink. Cancellation: this is it.
class CancelLink : public IntrusiveLink {
 public:
  // Runs inside Context::cancel. May move waiters to the ready list, never resumes anything.
  using Fire = void (*)(CancelLink&, CancelRound&) noexcept;

  explicit CancelLink(Fire fire) noexcept : fire_(fire) {}
  ~CancelLink() {
    if (is_cancelled()) cause_.~Error();
  }

  bool is_cancelled() const noexcept { return next_ == nullptr && prev_ == this; }
  // Precondition: is_cancelled().
  const Error& cancel_cause() const noexcept { return cause_; }

  // Precondition: not linked. Returns false when it was cancelled already.
  bool mark_cancelled(const Error& cause) noexcept {
    if (is_cancelled()) return false;
    prev_ = this;
    new (&cause_) Error(cause);
    return true;
  }

  // Makes a link that was cancelled usable for another wait.
  void rearm(Fire fire) noexcept {
    if (is_cancelled()) {
      cause_.~Error();
      prev_ = nullptr;
    }
    fire_ = fire;
  }

  // Precondition: neither linked nor cancelled.
  void deliver(CancelRound& round) noexcept;

 private:
  union {
    Fire fire_;
    Error cause_;
  };
};

using CancelList = IntrusiveList<CancelLink>;

// One call of Context::cancel: the cause, and the links that have not heard yet. A child context
// appends its own links, so that a deep tree needs no deep stack.
struct CancelRound {
  Loop& loop;
  const Error& cause;
  CancelList pending;
};

inline void CancelLink::deliver(CancelRound& round) noexcept {
  Fire fire = fire_;
  mark_cancelled(round.cause);
  fire(*this, round);
}

}  // namespace belfry::detail
