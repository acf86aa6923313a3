#include "daemon/schedule/schedule_state.hpp"

#include <algorithm>

#include "calendar/next.hpp"

namespace belfry::daemon {

namespace {

using calendar::Instant;
using std::chrono::floor;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// A clock that is set from 1970 to today passes over millions of minutes.
constexpr std::uint64_t most_counted = 1000;

// What is set back by more is a clock that was wrong before.
constexpr seconds set_back_a_little = std::chrono::hours(3);
// What comes every few minutes would be missed for so long; but a step of NTP must not run it twice.
constexpr seconds set_back_a_moment{60};

Duration jitter_of(const Timetable& timetable, double chance) {
  return saturating_scale(timetable.spec.jitter, chance);
}

std::optional<Instant> next_after(const Timetable& timetable, Instant after) {
  return calendar::next_after(timetable.cron, timetable.zone, after);
}

DueRuns take_times_of_day(const Timetable& timetable, ScheduleState& state, const Clocks& now) {
  DueRuns due;
  if (!state.next || *state.next + state.jitter > now.day) return due;
  due.late = now.day - (*state.next + state.jitter);
  while (state.next && *state.next <= now.day) {
    state.last = *state.next;
    if (++due.count == most_counted) {
      state.last = std::max(*state.last, floor<seconds>(now.day));
      due.is_at_least = true;
    }
    state.next = next_after(timetable, *state.last);
  }
  return due;
}

DueRuns take_ticks(const Timetable& timetable, ScheduleState& state, const Clocks& now) {
  DueRuns due;
  if (saturating_add(state.tick, state.jitter) > now.at) return due;
  due.late = now.at - saturating_add(state.tick, state.jitter);
  due.count = 1 + static_cast<std::uint64_t>((now.at - state.tick) / timetable.spec.every);
  state.tick = saturating_add(
      state.tick, saturating_multiply(timetable.spec.every, static_cast<std::int64_t>(due.count)));
  return due;
}

}  // namespace

ScheduleState begin_schedule(const Timetable& timetable, const Clocks& now, double chance) {
  ScheduleState state{.tick = saturating_add(now.at, timetable.spec.every),
                      .jitter = jitter_of(timetable, chance)};
  if (timetable.goes_by_the_day()) state.next = next_after(timetable, floor<seconds>(now.day));
  return state;
}

TimePoint due_at(const Timetable& timetable, const ScheduleState& state, const Clocks& now) {
  if (!timetable.goes_by_the_day()) return saturating_add(state.tick, state.jitter);
  if (!state.next) return TimePoint::max();
  return saturating_add(now.at, nanoseconds(*state.next - now.day) + state.jitter);
}

DueRuns take_due(const Timetable& timetable, ScheduleState& state, const Clocks& now, double chance) {
  const DueRuns due = timetable.goes_by_the_day() ? take_times_of_day(timetable, state, now)
                                                  : take_ticks(timetable, state, now);
  if (due.count > 0) state.jitter = jitter_of(timetable, chance);
  return due;
}

void clock_was_set(const Timetable& timetable, ScheduleState& state, const Clocks& now) {
  if (!timetable.goes_by_the_day()) return;
  if (state.next && *state.next <= now.day) return;  // take_due() counts what was passed over
  const Instant today = floor<seconds>(now.day);
  const seconds little = timetable.cron.passes ? set_back_a_moment : set_back_a_little;
  const bool has_run = state.last && *state.last > today && *state.last - today <= little;
  state.next = next_after(timetable, has_run ? *state.last : today);
}

}  // namespace belfry::daemon
