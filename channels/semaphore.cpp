#include "channels/semaphore.hpp"

namespace belfry {

void Permit::release() noexcept {
  Semaphore* semaphore = std::exchange(semaphore_, nullptr);
  if (semaphore != nullptr && !detail::abandoning) semaphore->give_back(weight_);
}

Semaphore::~Semaphore() {
  place_.assert_quiet("destroy semaphore");
  if (free_ == capacity_ || place_.loop->abandoned() || detail::abandoning) return;
  detail::die("destroy semaphore", place_.name, "a permit has not been given back");
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

void Semaphore::serve() noexcept {
  while (!place_.waiters.empty()) {
    auto& first = static_cast<Acquire&>(place_.waiters.front());
    if (first.weight_ > free_) return;
    free_ -= first.weight_;
    first.granted_ = true;
    first.Waiter::unlink();
    place_.loop->wake(first);
  }
}

bool Semaphore::Acquire::await_ready() noexcept {
  if (weight_ > semaphore_.capacity_) return true;
  if (is_cancelled() || weight_ > semaphore_.free_ || !semaphore_.place_.waiters.empty()) {
    return is_cancelled();
  }
  semaphore_.free_ -= weight_;
  granted_ = true;
  return true;
}

Result<Permit> Semaphore::Acquire::await_resume() {
  const bool waited = static_cast<bool>(handle);
  resumed();
  if (std::exchange(granted_, false)) return Permit(semaphore_, weight_);
  if (weight_ > semaphore_.capacity_) {
    return std::unexpected(Error(Error::Kind::invalid, std::string("cannot acquire from semaphore '") +
                                                           place_->name + "': more units than it has"));
  }
  if (waited) semaphore_.serve();  // those behind may fit where this one did not
  return std::unexpected(cancel_cause());
}

Semaphore::Acquire::~Acquire() {
  if (granted_ && !detail::abandoning) semaphore_.give_back(weight_);
}

}  // namespace belfry
