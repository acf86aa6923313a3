// The one shape of every wait in this library: a link in the waiting list of a primitive and a link
// in the list of a context. Whichever comes first moves the waiter to the loop's ready list; when
// both come in one turn, the grant wins, because the result is read from the primitive on resumption.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string>

#include "channels/context.hpp"
#include "channels/detail/cancel_link.hpp"
#include "channels/detail/die.hpp"
#include "channels/detail/name.hpp"
#include "channels/detail/wait_inquiry.hpp"
#include "channels/detail/waiter.hpp"
#include "channels/loop.hpp"

namespace belfry::detail {

// What a primitive is to those who wait for it: a queue, a name, and how many have not come back.
// Owner: the primitive. Lifecycle: quiet when destroyed, or its loop was abandoned.
// Cancellation: a cancelled waiter leaves the queue but counts until it has resumed.
struct WaitingPlace {
  WaitingPlace(Loop& l, const char* n) noexcept : loop(&l), name(keep_name(n)), name_is_copy(name != n) {}
  ~WaitingPlace() {
    if (name_is_copy) [[unlikely]]
      drop_name(name);
  }
  WaitingPlace(const WaitingPlace&) = delete;
  WaitingPlace& operator=(const WaitingPlace&) = delete;

  // Called by destructors: ends the process when somebody still waits or was released and has not
  // resumed yet. `what` names the kind: "destroy bell".
  void assert_quiet(const char* what) noexcept {
    if (outstanding == 0 || loop->abandoned() || abandoning) [[likely]]
      return;
    die(what, name, waiters.empty() ? "a task it released has not resumed yet" : "a task still waits for it");
  }

  Loop* loop;
  const char* name;  // kept: see detail/name.hpp
  WaiterList waiters;
  std::uint32_t outstanding = 0;
  bool name_is_copy;
};

// A pointer to a place. Addresses of user space have 48 bits; what is left holds the other half of the time
// since when somebody waits there (CancelLink::mark).
class MarkedPlace {
 public:
  explicit MarkedPlace(WaitingPlace& place) noexcept : bits_(reinterpret_cast<std::uintptr_t>(&place)) {}
  WaitingPlace& operator*() const noexcept {
    return *reinterpret_cast<WaitingPlace*>(bits_ & 0xFFFFFFFFFFFFU);  // NOLINT(performance-no-int-to-ptr)
  }
  WaitingPlace* operator->() const noexcept { return &**this; }
  void mark(std::uint16_t half) noexcept { bits_ = (bits_ & 0xFFFFFFFFFFFFU) | (std::uintptr_t{half} << 48); }
  std::uint16_t mark() const noexcept { return static_cast<std::uint16_t>(bits_ >> 48); }

 private:
  std::uintptr_t bits_;
};

// Base of the awaiters. Self provides `bool granted() const noexcept`: would a resumption now find
// that it got what it waited for? And `std::string describe() const`: what that is. 56 bytes.
// Owner: the awaiting frame. Lifecycle: made, suspended, resumed; once. Cancellation: see above.
template <class Self, class Node = Waiter>
class Wait : public Node, public CancelLink {
 public:
  ~Wait() {
    if (this->handle) left_behind();
  }

 protected:
  void suspend(std::coroutine_handle<> awaiting) noexcept {
    WaitingPlace& place = *place_;
    const std::uint32_t stamp = place.loop->stamp();
    CancelLink::mark(static_cast<std::uint16_t>(stamp));
    place_.mark(static_cast<std::uint16_t>(stamp >> 16));
    this->handle = awaiting;
    place.waiters.push_back(*this);
    ++place.outstanding;
  }
  // First thing in await_resume, also when it never suspended.
  void resumed() noexcept {
    CancelLink::unlink();
    if (!this->handle) return;
    this->handle = nullptr;
    --place_->outstanding;
  }

  MarkedPlace place_;

 private:
  friend Self;
  // An already granted wait does not enter the context's list at all.
  Wait(WaitingPlace& place, Context& ctx, bool already_granted = false) noexcept
      : CancelLink(&Wait::context_cancelled), place_(place) {
    if (!already_granted) ctx.enlist(*this);
  }
  static void context_cancelled(CancelLink& link, CancelRound& round) noexcept {
    auto& self = static_cast<Self&>(static_cast<Wait&>(link));
    if (round.inquiry != nullptr) {
      const std::uint32_t since = link.mark() | (std::uint32_t{self.place_.mark()} << 16);
      if (self.handle) round.inquiry->answer(self.handle, self.describe(), since);
      return;
    }
    if (!self.Waiter::linked() || self.granted()) return;
    self.Waiter::unlink();
    round.loop.wake(self);
  }
  void left_behind() noexcept {
    if (!abandoning) --place_->outstanding;
  }
};

}  // namespace belfry::detail
