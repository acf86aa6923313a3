// When whoever waits says that he still does, and when he stops.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "channels/time/time.hpp"

namespace belfry::client {

// Reminders come 10, 20, 40, 80, … seconds after the beginning; the end at the timeout. Plain values: whoever
// waits brings the clock.
class WaitSchedule {
 public:
  explicit WaitSchedule(TimePoint began, std::optional<Duration> timeout = {});
  // With reminders at this pace all the time: whoever sees them sees one line that is rewritten.
  WaitSchedule(TimePoint began, std::optional<Duration> timeout, Duration pace);

  enum class Due : std::uint8_t { nothing, reminder, end };
  // The moment at which there is something to do.
  [[nodiscard]] TimePoint next() const { return std::min(reminder_, end_); }
  // What is due at `now`. A reminder is due once, however many were missed (a terminal that was stopped).
  [[nodiscard]] Due look(TimePoint now);

 private:
  TimePoint began_, reminder_, end_;
  Duration pace_{0};  // 0: ever more seldom
};

}  // namespace belfry::client
