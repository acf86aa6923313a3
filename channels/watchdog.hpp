// Cancels a context after too long a silence.
//
// The problem: work that listens to a stream (a service that says WATCHDOG=1, a watch at another machine)
// must end when nothing comes any more, and a timer that is armed anew with every message costs more than the
// messages do.
//
// Here a sign of life only writes down when it came. The timer is moved when it comes due too early, so a
// busy stream costs one wake-up for each interval, however many messages there are.
#pragma once

#include <string>

#include "channels/context.hpp"
#include "channels/detail/name.hpp"
#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"

namespace belfry {

// Owner: the one who listens to the stream. Lifecycle: watching from its construction until it expires,
// is stopped, or its parent is cancelled. Cancellation: it cancels context(), with the cause
// deadline_exceeded and its own name; the parent's cancel reaches context() as ever.
class Watchdog final : detail::TimerNode {
 public:
  Watchdog(Context& parent, Duration interval, const char* name) noexcept;
  ~Watchdog() {
    stop();
    detail::release_name(name_);
  }

  // What the watched work waits with.
  Context& context() noexcept { return context_; }
  // A sign of life: silence is counted anew from here.
  void kick() noexcept { last_ = context_.loop().now(); }
  // Counts from the last sign of life; Duration::max() is never; a shorter interval may expire at once (in
  // the coming turn).
  void set_interval(Duration interval) noexcept;
  Duration interval() const noexcept { return interval_; }
  bool expired() const noexcept { return expired_; }
  void stop() noexcept;

 private:
  static void due(TimerNode& node) noexcept;
  void arm() noexcept;

  Context context_;
  Duration interval_;
  TimePoint last_;
  const char* name_;
  bool expired_ = false;
  bool watching_ = true;
};

}  // namespace belfry
