#include "channels/select.hpp"

namespace belfry {

namespace detail {

bool SelectWait::take_one(bool levels_only) {
  const std::size_t count = cases_.size();
  std::size_t index = count < 2 ? 0 : ctx_.loop().next_choice() % count;
  for (std::size_t tried = 0; tried < count; ++tried) {
    if (!(levels_only && cases_[index]->consuming()) && cases_[index]->try_take()) {
      winner_ = index;
      return true;
    }
    if (++index == count) index = 0;
  }
  return false;
}

bool SelectWait::await_ready() {
  const bool cancelled = ctx_.cancelled();
  if (take_one(cancelled) || cancelled) return true;
  for (std::size_t index = 0; index < cases_.size(); ++index) {
    if (!cases_[index]->is_default()) continue;
    winner_ = index;
    return true;
  }
  return false;
}

void SelectWait::await_suspend(std::coroutine_handle<> awaiting) {
  handle = awaiting;
  ctx_.enlist(*this);
  for (SelectCase* one : cases_) {
    if (one->select_ != nullptr) die("select", "case", "it is entered already, here or in another select");
    one->select_ = this;
    one->waits_on_ = &ctx_.loop();
    one->handle = awaiting;
    one->enter();
  }
}

std::size_t SelectWait::await_resume() {
  if (!handle) return winner_;
  CancelLink::unlink();
  Waiter::unlink();
  for (std::size_t index = 0; claimed_ != nullptr && index < cases_.size(); ++index) {
    if (cases_[index] == claimed_) winner_ = index;
  }
  leave_all();
  if (claimed_ == nullptr && !take_one(false) && !is_cancelled()) {
    die("select", "case", "what woke it was taken by somebody else");
  }
  return winner_;
}

void SelectWait::leave_all() noexcept {
  handle = nullptr;
  for (SelectCase* one : cases_) {
    one->leave();
    one->handle = nullptr;
    one->select_ = nullptr;
  }
}

void SelectWait::context_cancelled(CancelLink& link, CancelRound& round) noexcept {
  auto& self = static_cast<SelectWait&>(link);
  if (self.handle && self.claimed_ == nullptr) round.loop.wake(self);
}

}  // namespace detail

void BellCase::enter() noexcept {
  if (bell_ == nullptr) return;
  if (bell_->ended()) {  // aimed here while the select waits
    bell_->loop->wake(*this);
    return;
  }
  bell_->waiters.push_back(*this);
  ++bell_->outstanding;
  entered_ = true;
}

void BellCase::leave() noexcept {
  Waiter::unlink();
  if (std::exchange(entered_, false) && !detail::abandoning) --bell_->outstanding;
}

void WakeupCase::enter() {
  detail::WaitingPlace& place = wakeup_.place();
  if (place.outstanding != 0) detail::die("wait for wakeup", place.name, "another task waits already");
  place.waiters.push_back(*this);
  ++place.outstanding;
  entered_ = true;
}

void WakeupCase::leave() noexcept {
  Waiter::unlink();
  if (std::exchange(entered_, false) && !detail::abandoning) --wakeup_.place().outstanding;
}

void TimerCase::enter() noexcept {
  if (moment_ != TimePoint::max()) loop_.timers().arm(*this, moment_);
}

void TimerCase::leave() noexcept {
  Waiter::unlink();
  if (TimerNode::armed()) loop_.timers().cancel(*this);
}

void TimerCase::expired(TimerNode& node) noexcept {
  auto& self = static_cast<TimerCase&>(node);
  self.loop_.wake(self);
}

void ContextCase::enter() { ctx_.enlist(*this); }

void ContextCase::leave() noexcept {
  Waiter::unlink();
  CancelLink::unlink();
  CancelLink::rearm(&ContextCase::context_cancelled);
}

void ContextCase::context_cancelled(CancelLink& link, detail::CancelRound& round) noexcept {
  auto& self = static_cast<ContextCase&>(link);
  if (!self.Waiter::linked()) round.loop.wake(self);
}

}  // namespace belfry
