#include "channels/select.hpp"

#include <cstdint>
#include <numeric>
#include <vector>

namespace belfry {

namespace detail {

namespace {

// The numbers 0 … n-1, from which any one can be drawn: as many as fit into a word, four bits each.
class FewIndices {
 public:
  static constexpr std::size_t most = 16;
  // Takes out the one at `place` of the `left` that are left; the last one takes its place.
  std::size_t draw(std::size_t place, std::size_t left) noexcept {
    const std::uint64_t drawn = at(place);
    order_ ^= (drawn ^ at(left - 1)) << (4 * place);
    return static_cast<std::size_t>(drawn);
  }

 private:
  std::uint64_t at(std::size_t place) const noexcept { return (order_ >> (4 * place)) & 0xFU; }
  std::uint64_t order_ = 0xFEDCBA9876543210U;
};

// The same for any number.
class ManyIndices {
 public:
  explicit ManyIndices(std::size_t count) : order_(count) { std::iota(order_.begin(), order_.end(), 0U); }
  std::size_t draw(std::size_t place, std::size_t left) noexcept {
    const std::uint32_t drawn = order_[place];
    order_[place] = order_[left - 1];
    return drawn;
  }

 private:
  std::vector<std::uint32_t> order_;
};

}  // namespace

bool SelectWait::take_one(bool cancelled) {
  return cases_.size() <= FewIndices::most ? take_first_of(FewIndices(), cancelled)
                                           : take_first_of(ManyIndices(cases_.size()), cancelled);
}

// The first ready one in a random order is each of the ready ones with equal chance, whatever stands between
// them.
template <class Indices>
bool SelectWait::take_first_of(Indices indices, bool cancelled) {
  Loop& loop = ctx_.loop();
  for (std::size_t left = cases_.size(); left > 0; --left) {
    const std::size_t index = indices.draw(left == 1 ? 0 : loop.choose(left), left);
    if ((cancelled && !cases_[index]->heard_when_cancelled()) || !cases_[index]->try_take()) continue;
    winner_ = index;
    return true;
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
  since_ = ctx_.loop().stamp();
  ctx_.enlist(*this);
  for (SelectCase* one : cases_) {
    if (one->select_ != nullptr) die("select", "case", "it is entered already, here or in another select");
    one->select_ = this;
    one->waits_on_ = &ctx_.loop();
    one->handle = awaiting;
    one->enter();
  }
  if (is_cancelled() && !Waiter::linked()) ctx_.loop().wake(*this);  // its deadline has passed just now
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

std::string SelectWait::describe() const {
  std::string text;
  for (const SelectCase* one : cases_) {
    const std::string what = one->describe();
    if (!what.empty()) text += (text.empty() ? "" : ", or ") + what;
  }
  return text.empty() ? "nothing that could ever come" : text;
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
  if (round.inquiry != nullptr) {
    if (self.handle) round.inquiry->answer(self.handle, self.describe(), self.since_);
    return;
  }
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

void ContextCase::enter() {
  ctx_.enlist(*this);
  if (is_cancelled()) ctx_.loop().wake(*this);  // its deadline has passed just now
}

void ContextCase::leave() noexcept {
  Waiter::unlink();
  CancelLink::unlink();
  CancelLink::rearm(&ContextCase::context_cancelled);
}

void ContextCase::context_cancelled(CancelLink& link, detail::CancelRound& round) noexcept {
  auto& self = static_cast<ContextCase&>(link);
  if (round.inquiry != nullptr) return;  // its select answers for it
  if (!self.Waiter::linked()) round.loop.wake(self);
}

}  // namespace belfry
