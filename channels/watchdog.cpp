#include "channels/watchdog.hpp"

namespace belfry {

Watchdog::Watchdog(Context& parent, Duration interval, const char* name) noexcept
    : TimerNode(&Watchdog::due),
      context_(parent),
      interval_(interval),
      last_(parent.loop().now()),
      name_(detail::keep_name(name)) {
  arm();
}

void Watchdog::arm() noexcept { context_.loop().timers().arm(*this, saturating_add(last_, interval_)); }

void Watchdog::set_interval(Duration interval) noexcept {
  interval_ = interval;
  if (watching_) arm();
}

void Watchdog::stop() noexcept {
  watching_ = false;
  if (armed()) context_.loop().timers().cancel(*this);
}

void Watchdog::due(TimerNode& node) noexcept {
  auto& self = static_cast<Watchdog&>(node);
  if (self.context_.cancelled()) {
    self.watching_ = false;
    return;
  }
  if (saturating_add(self.last_, self.interval_) > self.when) {  // there was a sign of life meanwhile
    self.arm();
    return;
  }
  self.expired_ = true;
  self.watching_ = false;
  self.context_.cancel(
      Error::deadline_exceeded(std::string("watchdog '") + self.name_ + "': silent for too long"));
}

}  // namespace belfry
