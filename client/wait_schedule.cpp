#include "client/wait_schedule.hpp"

namespace belfry::client {
namespace {

constexpr Duration first_reminder = std::chrono::seconds(10);

}  // namespace

WaitSchedule::WaitSchedule(TimePoint began, std::optional<Duration> timeout)
    : began_(began), reminder_(began + first_reminder), end_(TimePoint::max()) {
  if (timeout && *timeout < TimePoint::max() - began) end_ = began + *timeout;
}

WaitSchedule::WaitSchedule(TimePoint began, std::optional<Duration> timeout, Duration pace)
    : WaitSchedule(began, timeout) {
  pace_ = pace;
  reminder_ = began + pace;
}

WaitSchedule::Due WaitSchedule::look(TimePoint now) {
  if (now >= end_) return Due::end;
  if (now < reminder_) return Due::nothing;
  if (pace_ > Duration::zero()) {
    reminder_ = now + pace_;
    return Due::reminder;
  }
  while (reminder_ <= now) {
    const Duration passed = reminder_ - began_;
    reminder_ = passed > Duration::max() / 4 ? TimePoint::max() : began_ + 2 * passed;
  }
  return Due::reminder;
}

}  // namespace belfry::client
