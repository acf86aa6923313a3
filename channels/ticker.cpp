#include "channels/ticker.hpp"

#include "channels/detail/die.hpp"
#include "channels/loop.hpp"

namespace belfry {

Ticker::Ticker(Loop& loop, Duration period, const char* name) noexcept
    : TimerNode(&Ticker::due), place_(loop, name), period_(period) {
  reset(period);
}

Ticker::~Ticker() {
  place_.assert_quiet("destroy ticker");
  if (armed()) place_.loop->timers().cancel(*this);
}

void Ticker::reset(Duration period) noexcept {
  if (period <= Duration::zero()) detail::die("make a ticker", place_.name, "its period is not positive");
  period_ = period;
  due_ = saturating_add(place_.loop->now(), period);
  if (!place_.waiters.empty()) place_.loop->timers().arm(*this, due_);
}

void Ticker::stop() noexcept {
  stopped_ = true;
  if (armed()) place_.loop->timers().cancel(*this);
  place_.loop->wake_all(place_.waiters);
}

void Ticker::wait_for_it() {
  if (place_.outstanding != 0) detail::die("wait for ticker", place_.name, "another task waits already");
  place_.loop->timers().arm(*this, due_);
}

void Ticker::wait_no_more() noexcept {
  if (armed() && place_.outstanding == 0) place_.loop->timers().cancel(*this);
}

void Ticker::due(TimerNode& node) noexcept {
  auto& self = static_cast<Ticker&>(node);
  self.place_.loop->wake_all(self.place_.waiters);
}

Result<Tick> Ticker::take() {
  if (stopped_)
    return std::unexpected(Error::closed(std::string("ticker '") + place_.name + "' was stopped"));
  const Duration late = saturating_subtract(place_.loop->now(), due_);
  const auto missed = static_cast<std::uint64_t>(late / period_);
  const Tick tick{due_ + (late / period_) * period_, missed};
  due_ = saturating_add(tick.at, period_);
  return tick;
}

}  // namespace belfry
