// How a wait hears that its context was cancelled.
#pragma once

#include <cstdint>
#include <new>
#include <utility>

#include "channels/error.hpp"
#include "channels/intrusive_list.hpp"

namespace belfry {
class Loop;
}

namespace belfry::detail {

struct CancelRound;
class WaitInquiry;

// A place in a context's list: of something that waits, or of a child context. Idle, then linked,
// then idle again or cancelled; when cancelled it keeps the cause in the space of the callback.
// Owner: the waiting object. Lifecycle: as IntrusiveLink. Cancellation: this is it.
class CancelLink : public IntrusiveLink {
 public:
  // Runs inside Context::cancel. May move waiters to the ready list, never resumes anything.
  using Fire = void (*)(CancelLink&, CancelRound&) noexcept;

  explicit CancelLink(Fire fire) noexcept : fire_(reinterpret_cast<std::uintptr_t>(fire)) {}
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
    fire_ = reinterpret_cast<std::uintptr_t>(fire);
  }

  // Precondition of both: not cancelled. Code of user space has addresses of 48 bits; what is left holds half
  // of the time since when this is waiting (Loop::stamp), which then costs no memory.
  Fire fire() const noexcept {
    return reinterpret_cast<Fire>(fire_ & 0xFFFFFFFFFFFFU);  // NOLINT(performance-no-int-to-ptr)
  }
  void mark(std::uint16_t half) noexcept { fire_ = (fire_ & 0xFFFFFFFFFFFFU) | (std::uintptr_t{half} << 48); }
  std::uint16_t mark() const noexcept { return static_cast<std::uint16_t>(fire_ >> 48); }

  // Precondition: neither linked nor cancelled.
  void deliver(CancelRound& round) noexcept;

 private:
  union {
    std::uintptr_t fire_;
    Error cause_;
  };
};

using CancelList = IntrusiveList<CancelLink>;

// One call of Context::cancel: the cause, and the links that have not heard yet. A child context
// appends its own links, so that a deep tree needs no deep stack. With an inquiry nothing is cancelled: the
// links say what waits there (channels/task_dump.hpp).
struct CancelRound {
  Loop& loop;
  const Error& cause;
  CancelList pending;
  WaitInquiry* inquiry = nullptr;
};

inline void CancelLink::deliver(CancelRound& round) noexcept {
  const Fire hear = fire();
  mark_cancelled(round.cause);
  hear(*this, round);
}

}  // namespace belfry::detail
