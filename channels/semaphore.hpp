// A bound on how much goes on at once: n units, weights, strictly first come first served.
//
// The problem: between the release of a unit and the resumption of the one who waited for it others run. If
// the unit were free in between, they could take it, and whoever wants many units would never get them.
//
// Units are taken for the waiter before it is woken, so nobody can slip in, and a large request at the head
// is not overtaken by small ones. A waiter that was cancelled in the same turn keeps its units: they are in
// the Permit that its wait returns, and go back with it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "channels/detail/wait.hpp"
#include "channels/error.hpp"

namespace belfry {

class Semaphore;
class SelectCase;

namespace detail {

class SelectWait;

// Somebody in the queue of a semaphore: a plain wait, or a case of a select.
struct SemaphoreWaiter : Waiter {
  std::size_t weight = 1;
  bool granted = false;
  SelectCase* select_case = nullptr;  // and its select, when it is one
  SelectWait* select = nullptr;
};

}  // namespace detail

// Some units of a semaphore; gives them back when destroyed. Must not outlive the semaphore.
class [[nodiscard]] Permit {
 public:
  Permit() noexcept = default;
  Permit(Permit&& other) noexcept
      : semaphore_(std::exchange(other.semaphore_, nullptr)), weight_(other.weight_) {}
  Permit& operator=(Permit&& other) noexcept {
    if (this == &other) return *this;
    release();
    semaphore_ = std::exchange(other.semaphore_, nullptr);
    weight_ = other.weight_;
    return *this;
  }
  ~Permit() { release(); }

  void release() noexcept;
  explicit operator bool() const noexcept { return semaphore_ != nullptr; }
  std::size_t weight() const noexcept { return semaphore_ == nullptr ? 0 : weight_; }

 private:
  friend class Semaphore;
  friend class SemaphoreCase;
  Permit(Semaphore& semaphore, std::size_t weight) noexcept : semaphore_(&semaphore), weight_(weight) {}

  Semaphore* semaphore_ = nullptr;
  std::size_t weight_ = 0;
};

// Owner: whoever limits. Lifecycle: destroyed only when every permit is back and nobody waits.
// Cancellation: of a wait (deadline included); it then holds nothing, and those behind it are looked at.
class Semaphore {
 public:
  // `kind` is what messages call it.
  Semaphore(Loop& loop, std::size_t units, const char* name, const char* kind = "semaphore") noexcept
      : place_(loop, name), kind_(kind), capacity_(units), free_(units) {}
  ~Semaphore();

  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t available() const noexcept { return free_; }
  std::size_t waiting() const noexcept { return place_.outstanding; }

  // Does not overtake those who wait.
  std::optional<Permit> try_acquire(std::size_t weight = 1) noexcept;

  class Acquire;
  // Result<Permit>; kind invalid at once when `weight` exceeds the capacity.
  Acquire acquire(Context& ctx, std::size_t weight = 1) noexcept;

 private:
  friend class Permit;
  friend class SemaphoreCase;
  Error too_many() const;
  void give_back(std::size_t weight) noexcept;
  void serve() noexcept;

  detail::WaitingPlace place_;
  const char* kind_;
  std::size_t capacity_;
  std::size_t free_;
};

class Semaphore::Acquire final : public detail::Wait<Acquire, detail::SemaphoreWaiter> {
 public:
  Acquire(Semaphore& semaphore, Context& ctx, std::size_t units) noexcept
      : Wait(semaphore.place_, ctx), semaphore_(semaphore) {
    weight = units;
  }
  ~Acquire();

  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { suspend(awaiting); }
  Result<Permit> await_resume();
  bool granted() const noexcept { return SemaphoreWaiter::granted; }
  std::string describe() const { return detail::named(semaphore_.kind_, place_->name); }

 private:
  Semaphore& semaphore_;
};

inline Semaphore::Acquire Semaphore::acquire(Context& ctx, std::size_t weight) noexcept {
  return {*this, ctx, weight};
}

}  // namespace belfry
