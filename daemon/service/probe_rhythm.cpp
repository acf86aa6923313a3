#include "daemon/service/probe_rhythm.hpp"

#include <algorithm>

#include "channels/time/saturating.hpp"

namespace belfry::daemon {

namespace {

probes::ScheduleOptions while_watching(const RhythmTerms& terms) {
  probes::ScheduleOptions options = terms.options;
  if (terms.recheck) options.period = *terms.recheck;
  if (!terms.live) options.initial_delay = Duration::zero();
  return options;
}

}  // namespace

ProbeRhythm::ProbeRhythm(const RhythmTerms& terms, TimePoint now)
    : terms_(terms),
      watching_(while_watching(terms)),
      thresholds_(watching_, terms.live),
      not_before_(terms.is_first ? saturating_add(now, terms.options.initial_delay) : now),
      was_up_(terms.live || !terms.is_first),
      counts_events_(!terms.live) {
  terms_.options.initial_delay = Duration::zero();
}

TimePoint ProbeRhythm::due(TimePoint now, const probes::Probe& probe) {
  if (!is_watching()) {
    // From the beginning of the last attempt: a server that is busy starting answers slowly, and what it
    // takes is not to be added to what the bell may be late.
    const TimePoint from = asked_at_.value_or(now);
    return std::max({now, not_before_, saturating_add(from, pause_while_starting(now, probe))});
  }
  if (!planned_) {
    const Duration pause =
        probes::next_delay(watching_, probes::Phase::watching, now - terms_.started_at, attempts_, random());
    planned_ = probes::in_company(saturating_add(now, pause), pause);
  }
  return *planned_;
}

Duration ProbeRhythm::pause_while_starting(TimePoint now, const probes::Probe& probe) {
  Duration pause =
      probes::next_delay(terms_.options, probes::Phase::starting, now - terms_.started_at, attempts_, 0);
  if (attempts_ == 0) return pause;
  // Its own period is how often it is asked besides.
  const Duration longest = terms_.options.period.value_or(Duration::max());
  if (counts_events_) pause = std::min(probe.next_look(looks_).value_or(pause), longest);
  if (probe.is_told() && thresholds_.streak() == 0) pause = longest;
  // Who looks again after the bell wants to know soon when it has come back.
  return was_up_ && terms_.recheck ? std::min(pause, *terms_.recheck) : pause;
}

void ProbeRhythm::heard(Event event) {
  heard_ = true;
  looks_ = 0;
  if (brought_by_ != Event::news) brought_by_ = event;
}

TimePoint ProbeRhythm::earliest(const probes::Probe& probe) const {
  if (!asked_at_) return not_before_;
  const Duration rest = is_watching() ? std::max(shortest_between_looks, probe.rest()) : probe.rest();
  return std::max(not_before_, saturating_add(*asked_at_, rest));
}

void ProbeRhythm::begin_attempt(TimePoint now) {
  asked_at_ = now;
  if (planned_ && *planned_ <= now) planned_.reset();
}

ProbeRhythm::Change ProbeRhythm::answered(bool success) {
  ++attempts_;
  counts_events_ = counts_events_ && !success;
  if (heard_) ++looks_;
  const bool is_sample = success || !terms_.live || brought_by_ != Event::of_service;
  brought_by_.reset();
  if (!is_sample) return Change::none;
  const Change change = thresholds_.record(success);
  if (change == Change::none) return change;
  was_up_ = true;
  if (!terms_.live) planned_.reset();
  attempts_ = terms_.live ? attempts_ : 0;
  return change;
}

// SplitMix64 (Steele, Lea, Flood 2014): eight bytes of state, and every probe has its own.
double ProbeRhythm::random() {
  terms_.seed += 0x9E3779B97F4A7C15U;
  std::uint64_t z = terms_.seed;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

}  // namespace belfry::daemon
