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
#include <utility>

#include "channels/detail/wait.hpp"
#include "channels/error.hpp"

namespace belfry {

class Semaphore;

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
  Permit(Semaphore& semaphore, std::size_t weight) noexcept : semaphore_(&semaphore), weight_(weight) {}

  Semaphore* semaphore_ = nullptr;
  std::size_t weight_ = 0;
};

// Owner: whoever limits. Lifecycle: destroyed only when every permit is back and nobody waits.
// Cancellation: of a wait (deadline included); it then holds nothing, and those behind it are looked at.
class Semaphore {
 public:
  Semaphore(Loop& loop, std::size_t units, const char* name) noexcept
      : place_(loop, name), capacity_(units), free_(units) {}
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
  void give_back(std::size_t weight) noexcept;
  void serve() noexcept;

  detail::WaitingPlace place_;
  std::size_t capacity_;
  std::size_t free_;
};

class Semaphore::Acquire final : public detail::Wait<Acquire> {
 public:
  Acquire(Semaphore& semaphore, Context& ctx, std::size_t weight) noexcept
      : Wait(semaphore.place_, ctx), semaphore_(semaphore), weight_(weight) {}
  ~Acquire();

  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { suspend(awaiting); }
  Result<Permit> await_resume();
  bool granted() const noexcept { return granted_; }

 private:
  friend class Semaphore;
  Semaphore& semaphore_;
  std::size_t weight_;
  bool granted_ = false;
};

inline Semaphore::Acquire Semaphore::acquire(Context& ctx, std::size_t weight) noexcept {
  return {*this, ctx, weight};
}

}  // namespace belfry
