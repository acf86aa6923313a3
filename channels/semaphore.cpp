#include "channels/semaphore.hpp"

#include "channels/select.hpp"
#include "channels/semaphore_case.hpp"

namespace belfry {

void Permit::release() noexcept {
  Semaphore* semaphore = std::exchange(semaphore_, nullptr);
  if (semaphore != nullptr && !detail::abandoning) semaphore->give_back(weight_);
}

Semaphore::~Semaphore() {
  if ((place_.outstanding == 0 && free_ == capacity_) || place_.loop->abandoned() || detail::abandoning)
    return;
  const std::string what = std::string("destroy ") + kind_;
  place_.assert_quiet(what.c_str());
  detail::die(what, place_.name, "a permit has not been given back");
}

std::optional<Permit> Semaphore::try_acquire(std::size_t weight) noexcept {
  if (weight > free_ || !place_.waiters.empty()) return std::nullopt;
  free_ -= weight;
  return Permit(*this, weight);
}

void Semaphore::give_back(std::size_t weight) noexcept {
  free_ += weight;
  serve();
}

// The first in the queue, as long as there is enough for it. A select that was won by another case of it has
// gone by and gets nothing.
void Semaphore::serve() noexcept {
  while (!place_.waiters.empty()) {
    auto& first = static_cast<detail::SemaphoreWaiter&>(place_.waiters.front());
    if (first.weight > free_) return;
    first.unlink();
    if (first.select != nullptr && !first.select->claim(*first.select_case)) continue;
    free_ -= first.weight;
    first.granted = true;
    place_.loop->wake(first);
  }
}

Error Semaphore::too_many() const {
  return Error(Error::Kind::invalid, std::string("cannot acquire from ") + kind_ + " '" + place_.name +
                                         "': more units than it has");
}

bool Semaphore::Acquire::await_ready() noexcept {
  if (weight > semaphore_.capacity_) return true;
  if (is_cancelled() || weight > semaphore_.free_ || !semaphore_.place_.waiters.empty()) {
    return is_cancelled();
  }
  semaphore_.free_ -= weight;
  SemaphoreWaiter::granted = true;
  return true;
}

Result<Permit> Semaphore::Acquire::await_resume() {
  const bool waited = static_cast<bool>(handle);
  resumed();
  if (std::exchange(SemaphoreWaiter::granted, false)) return Permit(semaphore_, weight);
  if (weight > semaphore_.capacity_) return std::unexpected(semaphore_.too_many());
  if (waited) semaphore_.serve();  // those behind may fit where this one did not
  return std::unexpected(cancel_cause());
}

Semaphore::Acquire::~Acquire() {
  if (granted() && !detail::abandoning) semaphore_.give_back(weight);
}

SemaphoreCase::SemaphoreCase(Semaphore& semaphore, std::size_t weight) noexcept : semaphore_(semaphore) {
  party_.weight = weight;
  party_.select_case = this;
}

SemaphoreCase::~SemaphoreCase() { SemaphoreCase::leave(); }

bool SemaphoreCase::try_take() {
  if (party_.weight > semaphore_.capacity_) return true;
  std::optional<Permit> permit = semaphore_.try_acquire(party_.weight);
  if (!permit) return false;
  permit_ = std::move(*permit);
  return true;
}

std::string SemaphoreCase::describe() const {
  return detail::named(semaphore_.kind_, semaphore_.place_.name);
}

void SemaphoreCase::enter() {
  party_.handle = Waiter::handle;
  party_.select = select_;
  semaphore_.place_.waiters.push_back(party_);
  ++semaphore_.place_.outstanding;
  entered_ = true;
}

void SemaphoreCase::leave() noexcept {
  party_.unlink();
  if (!std::exchange(entered_, false) || detail::abandoning) return;
  --semaphore_.place_.outstanding;
  if (std::exchange(party_.granted, false)) {
    permit_ = Permit(semaphore_, party_.weight);
  } else {
    semaphore_.serve();  // those behind may fit where this one did not
  }
}

Result<Permit> SemaphoreCase::take() {
  if (!permit_ && party_.weight > semaphore_.capacity_) return std::unexpected(semaphore_.too_many());
  return std::move(permit_);
}

}  // namespace belfry
