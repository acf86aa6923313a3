// When one probe is asked next, and what its answers amount to. Pure: the clock and the waiting are the
// caller's.
//
// Until it is true a probe is asked ever more seldom, or only when somebody tells that its answer may have
// changed (probes/schedule, Probe::next_look, Probe::is_told). Once it was true, and for `live` from the
// beginning, it is asked by its period: the first time at any moment of it, then each time a little earlier
// or later, so that a thousand services that came up together are not asked together ever after. An event
// brings one more look, and does not move the next one.
#pragma once

#include <cstdint>
#include <optional>

#include "channels/time/time.hpp"
#include "probes/probe.hpp"
#include "probes/schedule.hpp"

namespace belfry::daemon {

struct RhythmTerms {
  probes::ScheduleOptions options;
  std::optional<Duration> recheck;  // the period after the bell, where it is another one
  bool live = false;                // it counts as true until its failures say otherwise
  bool is_first = true;             // in this run: `initial_delay` holds
  TimePoint started_at{};           // of the run: the adaptive period counts from it
  std::uint64_t seed = 0;
};

class ProbeRhythm {
 public:
  using Change = probes::Thresholds::Change;
  enum class Event : std::uint8_t { of_service, news };
  // Once it was true, however often something happens.
  static constexpr Duration shortest_between_looks = std::chrono::milliseconds(100);

  ProbeRhythm(const RhythmTerms& terms, TimePoint now);

  // When it is asked next; max: not before something happens.
  [[nodiscard]] TimePoint due(TimePoint now, const probes::Probe& probe);
  // Something has happened to the service, or the probe itself tells that its answer may have changed.
  void heard(Event event);
  // How early it may be asked for that. No event makes the first attempt earlier.
  [[nodiscard]] TimePoint earliest(const probes::Probe& probe) const;
  void begin_attempt(TimePoint now);
  // A failure of `live` that only an event of the service has brought to light is no sample: who speaks often
  // is not to be restarted sooner.
  Change answered(bool success);

  [[nodiscard]] bool is_up() const { return thresholds_.up(); }
  // An event was just now, and the call behind it may still go on.
  [[nodiscard]] bool looks_closely() const { return looks_ > 0; }
  // Once it was true, something is wrong, or was, the last time that it was asked.
  [[nodiscard]] bool is_failing() const { return was_up_ && (!is_up() || thresholds_.streak() > 0); }

 private:
  [[nodiscard]] bool is_watching() const { return terms_.live || is_up(); }
  [[nodiscard]] Duration pause_while_starting(TimePoint now, const probes::Probe& probe);
  [[nodiscard]] double random();

  RhythmTerms terms_;
  probes::ScheduleOptions watching_;
  probes::Thresholds thresholds_;
  TimePoint not_before_;
  std::optional<TimePoint> planned_{};  // while it is watched
  std::optional<TimePoint> asked_at_{};
  std::uint64_t attempts_ = 0;  // since it came up or went down
  std::uint32_t looks_ = 0;     // in vain, since the last event
  bool was_up_;
  bool counts_events_;  // until it was true; then what it loses is looked for by the schedule
  bool heard_ = false;
  std::optional<Event> brought_by_{};  // the attempt that comes; empty: the schedule
};

}  // namespace belfry::daemon
