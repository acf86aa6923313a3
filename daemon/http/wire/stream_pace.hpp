// How much of the loop's time all who follow streams may take together.
//
// To send a piece costs some microseconds, and a thousand readers who are told of every event would be served
// before the service that starts next. So their turns are spread: each costs what such pieces have cost of
// late, ten times over, before the next one comes. A few readers are not held up by that; many get more in
// one piece, and less often.
#pragma once

#include <algorithm>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/sleep.hpp"
#include "channels/task.hpp"

namespace belfry::daemon::http {

// Owner: Shared. Lifecycle: as long as the server. Cancellation: by the context of the wait.
class StreamPace {
 public:
  explicit StreamPace(Loop& loop) : loop_(loop) {}

  // When the caller may send a piece; the turn after that is somebody else's.
  [[nodiscard]] TimePoint take_turn() {
    const TimePoint now = loop_.now();
    const TimePoint turn = std::max(next_, now - in_advance);
    next_ = turn + cost_ * share;
    // Together, so that not each of them is a wake-up of its own.
    const Duration late = turn > now ? turn - now : Duration::zero();
    return now + (late + grain - Duration(1)) / grain * grain;
  }
  void took(Duration time) { cost_ = (cost_ * 7 + std::min(time, longest)) / 8; }

 private:
  static constexpr int share = 10;  // a tenth of the time
  static constexpr Duration in_advance = std::chrono::milliseconds(5);
  static constexpr Duration grain = std::chrono::milliseconds(2);
  static constexpr Duration longest = std::chrono::milliseconds(2);  // what takes more has been interrupted

  Loop& loop_;
  TimePoint next_{};
  Duration cost_{0};  // of a piece, on the average
};

}  // namespace belfry::daemon::http
