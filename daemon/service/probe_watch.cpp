#include "daemon/service/probe_watch.hpp"

#include <algorithm>
#include <bit>
#include <exception>
#include <utility>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon {

namespace {

probes::ScheduleOptions options_of(const config::Probe& probe, const WatchTerms& terms) {
  probes::ScheduleOptions options;
  options.initial_delay = probe.initial_delay.value_or(Duration::zero());
  options.period = probe.period;
  const bool live = terms.role == ProbeRole::live;
  if (probe.attempt_timeout) options.attempt_timeout = *probe.attempt_timeout;
  if (live && probe.timeout) options.attempt_timeout = *probe.timeout;
  options.success_threshold = probe.success_threshold;
  options.failure_threshold = probe.failure_threshold;
  return options;
}

// For as long as a probe is asked, it tells when its answer may have changed.
class Telling {
 public:
  Telling(probes::Probe& probe, probes::NewsListener& listener) : probe_(probe) { probe_.tell(&listener); }
  ~Telling() { probe_.tell(nullptr); }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

 private:
  probes::Probe& probe_;
};

// A probe that breaks has not found its service well, and its service is told why.
Task<Result<void>> checked(probes::Probe& probe, Context& ctx) {
  try {
    Result<void> outcome = co_await probe.check(ctx);
    co_return outcome;
  } catch (...) {
    co_return std::unexpected(error_from_exception("probe", std::current_exception()));
  }
}

}  // namespace

Error Redactor::shown(const Error& error) const {
  std::string text = shown(error.text());
  return text == error.text() ? error : Error(error.kind(), std::move(text));
}

ProbeWatch::ProbeWatch(Context& parent, const ProbeMeans& means, ProbeListener& listener, WatchTerms terms)
    : loop_(parent.loop()),
      means_(means),
      listener_(listener),
      terms_(terms),
      context_(parent),
      tasks_(loop_, "probes", WaitGroup::Thrown::told_at_once) {}

Result<void> ProbeWatch::make(const config::ProbeSet& set, const probes::ProbeContext& about) {
  for (std::uint32_t i = 0; i < set.probes.size(); ++i) {
    const config::Probe& spec = set.probes[i];
    if (probes::is_event(spec.kind)) continue;
    probes::ScheduleOptions options = options_of(spec, terms_);
    const std::optional<Duration> recheck = spec.recheck ? *spec.recheck : terms_.recheck;
    const bool keep_asking =
        terms_.role == ProbeRole::live || (terms_.role == ProbeRole::ready && recheck.has_value());
    probes::ProbeContext about_this = about;
    if (keep_asking && (recheck || spec.period)) about_this.asked_every = recheck ? *recheck : *spec.period;
    auto probe = means_.factory.make(spec, about_this);
    if (!probe) return std::unexpected(probe.error());
    watched_.push_back(
        std::make_unique<Watched>(loop_, std::move(*probe), spec.kind, i, options, keep_asking));
    if (recheck) watched_.back()->recheck = *recheck;
  }
  return {};
}

void ProbeWatch::ask(double random) {
  random_ = random;
  for (auto& watched : watched_) spawn(tasks_, "probe", ask_repeatedly(context_, *watched));
}

void ProbeWatch::trigger() {
  for (auto& watched : watched_) {
    watched->poke.notify();
    wake(*watched);
  }
}

void ProbeWatch::look_after_levels() {
  for (auto& watched : watched_) {
    if (watched->is_failing) watched->poke.notify();
    if (loop_.now() - watched->looked_at >= ProbeRhythm::shortest_between_looks) wake(*watched);
  }
}

void ProbeWatch::wake(Watched& watched) {
  if (terms_.role != ProbeRole::ready || !watched.rests || !watched.probe->can_be_lost()) return;
  watched.rests = false;
  watched.looked_at = loop_.now();
  spawn(tasks_, "probe", look_again(context_, watched));
}

TimePoint ProbeWatch::known_as_of(std::uint32_t truths, bool any) const {
  TimePoint as_of = any ? TimePoint::min() : TimePoint::max();
  for (const auto& watched : watched_) {
    if ((truths >> watched->index & 1U) == 0) continue;
    const TimePoint known = watched->probe->known_as_of();
    as_of = any ? std::max(as_of, known) : std::min(as_of, known);
  }
  return as_of;
}

Error ProbeWatch::doubt() const {
  for (const auto& watched : watched_) {
    if (Error why = watched->probe->doubt()) return why;
  }
  return {};
}

void ProbeWatch::look_afresh() {
  for (auto& watched : watched_) watched->probe->look_afresh();
}

void ProbeWatch::end(const Error& cause) { context_.cancel(cause); }

std::string ProbeWatch::method_of(std::uint32_t index) const {
  for (const auto& watched : watched_) {
    if (watched->index == index) return shown(watched->probe->method());
  }
  return {};
}

Evidence ProbeWatch::evidence_of(std::uint32_t index) const {
  for (const auto& watched : watched_) {
    if (watched->index != index) continue;
    const probes::Sighting seen = watched->probe->sighting();
    return {.probe = watched->kind,
            .place = static_cast<std::uint8_t>(index),
            .port = seen.port,
            .pid = seen.pid,
            .words = {}};
  }
  return {};
}

std::vector<CertificateExpiry> ProbeWatch::certificates() const {
  std::vector<CertificateExpiry> all;
  for (const auto& watched : watched_) {
    if (const auto expiry = watched->probe->certificate_expiry())
      all.push_back({.kind = watched->kind, .index = watched->index, .role = terms_.role, .at = *expiry});
  }
  return all;
}

std::string ProbeWatch::polling() const {
  for (const auto& watched : watched_) {
    if (std::string why = watched->probe->polling(); !why.empty()) return shown(std::move(why));
  }
  return {};
}

std::string ProbeWatch::shown(std::string text) const {
  return means_.redactor == nullptr ? text : means_.redactor->shown(std::move(text));
}

RhythmTerms ProbeWatch::rhythm_of(const Watched& watched) const {
  return {.options = watched.options,
          .recheck = watched.recheck,
          .live = terms_.role == ProbeRole::live,
          .is_first = !watched.was_lost,
          .started_at = terms_.started_at,
          .seed = std::bit_cast<std::uint64_t>(random_) + watched.index};
}

Task<void> ProbeWatch::ask_repeatedly(Context& ctx, Watched& watched) {
  const Telling telling(*watched.probe, watched);
  ProbeRhythm rhythm(rhythm_of(watched), loop_.now());
  while (!rhythm.is_up() || watched.keep_asking) {
    const bool is_due = co_await until_due(ctx, watched, rhythm);
    if (!is_due) co_return;
    rhythm.begin_attempt(loop_.now());
    const std::optional<Result<void>> tried = co_await attempt(ctx, watched);
    if (!tried) co_return;
    report(watched, rhythm, *tried);
  }
  watched.rests = true;
  co_await yield(loop_);  // the bell first, then what is left of this task
}

// False: cancelled.
Task<bool> ProbeWatch::until_due(Context& ctx, Watched& watched, ProbeRhythm& rhythm) {
  const TimePoint due = rhythm.due(loop_.now(), *watched.probe);
  if (due <= loop_.now() && rhythm.looks_closely()) co_await yield(loop_);
  bool was_poked = true;
  if (due == TimePoint::max()) {
    (void)co_await watched.poke.wait(ctx);  // for those who are told: neither a timer nor a choice
  } else {
    auto poked = on(watched.poke);
    auto late = at(loop_, due);
    was_poked = co_await select(ctx, poked, late) == 0;
  }
  if (ctx.cancelled()) co_return false;
  if (!was_poked) co_return true;
  const bool by_itself = std::exchange(watched.has_news, false);
  rhythm.heard(by_itself ? ProbeRhythm::Event::news : ProbeRhythm::Event::of_service);
  const TimePoint earliest = rhythm.earliest(*watched.probe);
  if (earliest <= loop_.now()) co_return true;
  const Result<void> slept = co_await sleep_until(ctx, earliest);
  co_return slept.has_value();
}

void ProbeWatch::report(Watched& watched, ProbeRhythm& rhythm, const Result<void>& outcome) {
  const ProbeRhythm::Change change = rhythm.answered(outcome.has_value());
  watched.is_failing = rhythm.is_failing();
  if (change == ProbeRhythm::Change::none) return;
  listener_.probe_changed(terms_.role, watched.index, rhythm.is_up(), outcome ? Error() : outcome.error());
}

// Empty: cancelled. One that fell into a pause of belfry says nothing, because its answer could not come.
Task<std::optional<Result<void>>> ProbeWatch::attempt(Context& ctx, Watched& watched) {
  for (;;) {
    const Duration paused_before = loop_.paused();
    const Result<Permit> permit = co_await means_.slots.acquire(ctx);
    if (!permit) co_return std::nullopt;
    Context limited(ctx, saturating_add(loop_.now(), watched.options.attempt_timeout));
    const TimePoint began = loop_.now();
    Result<void> outcome = co_await checked(*watched.probe, limited);
    if (ctx.cancelled()) co_return std::nullopt;
    const Duration took = loop_.now() - began;
    if (!outcome && means_.redactor != nullptr)
      outcome = std::unexpected(means_.redactor->shown(outcome.error()));
    if (!outcome && loop_.paused() != paused_before) continue;
    listener_.probe_tried({watched.kind, watched.index, terms_.role, took, outcome});
    co_return outcome;
  }
}

// At an event of a service that is ready. What is lost counts at once, whatever its thresholds: an event is
// no sample.
Task<void> ProbeWatch::look_again(Context& ctx, Watched& watched) {
  for (bool again = true; again; again = watched.poke.pending()) {
    watched.poke.consume();
    const std::optional<Result<void>> tried = co_await attempt(ctx, watched);
    if (!tried) co_return;
    if (*tried) continue;
    watched.was_lost = true;
    listener_.probe_changed(terms_.role, watched.index, false, tried->error());
    co_await ask_repeatedly(ctx, watched);
    co_return;
  }
  watched.rests = true;
}

}  // namespace belfry::daemon
