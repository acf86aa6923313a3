// Starts the oneshots that run by themselves when their time comes.
//
// The problem: when a run is due, the one before it may still go on, wait for its edges, or be about to be
// tried again; somebody may have stopped the service, or everything goes down. So being due is not yet a
// start: here the two meet, and whatever is not run is said.
//
// The contract: a start is the one that `belfry start` asks for, without what it needs: that runs already, or
// the run waits for it. A service that was stopped by command is left alone until somebody starts it; its
// times go by meanwhile. What is due while a run has not ended goes by `overlap`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"
#include "channels/wakeup.hpp"
#include "daemon/schedule/schedule_state.hpp"
#include "daemon/service/service.hpp"
#include "daemon/view/stack_view.hpp"
#include "system/time_of_day.hpp"

namespace belfry::daemon {

// Owner: the supervisor.
// Lifecycle: take() whoever has a schedule; its task runs beside the lives from the first of them on.
// Destroyed
//   after the lives.
// Cancellation: the context of the lives ends the task; stop() ends what it does.
class Schedules {
 public:
  // What is said goes to `listener`; `random` draws the jitter of each run.
  Schedules(Context& parent, WaitGroup& lives, StateListener& listener, RandomSource& random);
  Schedules(const Schedules&) = delete;
  Schedules& operator=(const Schedules&) = delete;

  // Before the first take().
  void tell_time_by(system::TimeOfDay& time) { time_ = &time; }
  // From now on it runs when its time comes, by the schedule that it has now: one that has not changed goes
  // on, and a service without one is let go.
  void take(Service& service);
  void let_go(const Service& service) { entries_.erase(service.index()); }
  // Nobody is started any more.
  void stop();
  // Told of every change of state, after it.
  void changed(const Service& service);

  [[nodiscard]] bool has(const Service& service) const { return entries_.contains(service.index()); }
  // It will be started, unless everything goes down.
  [[nodiscard]] bool will_start(const Service& service) const;
  [[nodiscard]] bool will_start_somebody() const;
  // Nothing: it has no schedule.
  [[nodiscard]] std::optional<ScheduleView> view(const Service& service) const;
  // What would have to be kept; null: it has none.
  [[nodiscard]] const ScheduleState* state_of(const Service& service) const;

 private:
  struct Entry {
    Service* service;
    Timetable timetable;
    ScheduleState state;
  };

  Task<void> run(Context& ctx);
  // Starts whoever is due; when to look again at the latest.
  TimePoint look();
  void came(Entry& entry, const DueRuns& due);
  void overlaps(Entry& entry);
  void begin(Entry& entry);
  void say(const Entry& entry, const std::string& text);
  [[nodiscard]] Clocks now() const;
  [[nodiscard]] double chance_for(const Timetable& timetable);
  void be_told_of_set_clocks();

  Loop& loop_;
  Context& parent_;
  WaitGroup& lives_;
  StateListener& listener_;
  RandomSource& random_;
  system::SteadyTimeOfDay steady_;
  system::TimeOfDay* time_ = &steady_;
  std::map<std::uint32_t, Entry> entries_;  // by the service's number
  Wakeup attention_;
  Wakeup clock_set_;
  bool runs_ = false;
  bool is_told_ = false;  // when the time of day is set
  bool cannot_be_told_ = false;
  bool stopped_ = false;
};

// The one of a description; null: it has none.
[[nodiscard]] const config::Schedule* schedule_of(const config::Service& spec);

}  // namespace belfry::daemon
