// What has become of a schedule so far, as plain values: with it, another belfry could go on where this one
// is.
//
// The two kinds of schedules live by two clocks. `every` counts from one start to the next on the monotonic
// clock: it does not drift, and nobody sets it. `cron` names times of the day, and the time of day is set by
// people and NTP, and jumps ahead when a machine wakes up. So what is due is computed from the clock that
// counts, when it is asked for, and again when the clock was set; how long that is from now, on the clock
// that timers have, is never kept.
//
// Runs that were due while nobody could start them (the clock was set forward, the machine slept, belfry
// stood still) are counted; one run makes up for all of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "calendar/zone.hpp"
#include "channels/time/time.hpp"
#include "daemon/schedule/timetable.hpp"

namespace belfry::daemon {

// One moment, on both.
struct Clocks {
  TimePoint at{};
  std::chrono::sys_time<std::chrono::nanoseconds> day{};
};

struct ScheduleState {
  TimePoint tick{};                         // `every`: when the next run is due, without its jitter
  std::optional<calendar::Instant> next{};  // `cron`: the same; nothing: never
  std::optional<calendar::Instant> last{};  // `cron`: when the last run was due
  Duration jitter{0};                       // of the next run
  bool is_queued = false;                   // one is due, and begins when the one before it has ended
  std::uint64_t missed = 0;                 // were due while nobody could start them
  std::uint64_t skipped = 0;                // were due while the one before had not ended
  std::uint64_t skipped_in_a_row = 0;
};

// Runs that are due by now.
struct DueRuns {
  std::uint64_t count = 0;
  bool is_at_least = false;  // there were more than anybody counts
  Duration late{0};          // the first of them
};

// From now on; `chance` in [0, 1) is for the jitter of the first run.
[[nodiscard]] ScheduleState begin_schedule(const Timetable& timetable, const Clocks& now, double chance);

// When the next run is due, as things are, on the clock of timers. TimePoint::max(): never.
[[nodiscard]] TimePoint due_at(const Timetable& timetable, const ScheduleState& state, const Clocks& now);

// Takes note of what is due by now, and what is due next; `chance` is for its jitter.
[[nodiscard]] DueRuns take_due(const Timetable& timetable, ScheduleState& state, const Clocks& now,
                               double chance);

// The time of day may have been set. Forward: what it passes over is due. Back: the next time is looked for
// anew, but what has run at its time of the day does not run again within three hours, as with cron.
void clock_was_set(const Timetable& timetable, ScheduleState& state, const Clocks& now);

}  // namespace belfry::daemon
