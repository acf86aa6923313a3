#include "daemon/service/probe_watch.hpp"

#include <algorithm>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon {

namespace {

constexpr Duration shortest_between_looks = std::chrono::milliseconds(100);

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

}  // namespace

ProbeWatch::ProbeWatch(Context& parent, const ProbeMeans& means, ProbeListener& listener, WatchTerms terms)
    : loop_(parent.loop()),
      means_(means),
      listener_(listener),
      terms_(terms),
      context_(parent),
      tasks_(loop_, "probes") {}

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
    if (loop_.now() - watched->looked_at >= shortest_between_looks) wake(*watched);
  }
}

void ProbeWatch::wake(Watched& watched) {
  if (terms_.role != ProbeRole::ready || !watched.rests || !watched.probe->can_be_lost()) return;
  watched.rests = false;
  watched.looked_at = loop_.now();
  spawn(tasks_, "probe", look_again(context_, watched));
}

void ProbeWatch::end(const Error& cause) { context_.cancel(cause); }

std::string ProbeWatch::method_of(std::uint32_t index) const {
  for (const auto& watched : watched_) {
    if (watched->index == index) return watched->probe->method();
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
    if (std::string why = watched->probe->polling(); !why.empty()) return why;
  }
  return {};
}

Task<void> ProbeWatch::ask_repeatedly(Context& ctx, Watched& watched) {
  const bool live = terms_.role == ProbeRole::live;
  // The period of a recheck begins with the bell; until then the probe's own one applies, or the adaptive.
  const probes::ScheduleOptions& before_bell = watched.options;
  probes::ScheduleOptions options = watched.options;
  if (watched.recheck) options.period = *watched.recheck;
  probes::Thresholds thresholds(options, live);
  const TimePoint not_before = saturating_add(loop_.now(), before_bell.initial_delay);
  bool held_back = !live && !watched.was_lost && before_bell.initial_delay > Duration::zero();
  std::uint64_t attempts = 0;
  bool was_up = live;
  bool counts_events = !live;  // until it was true; then what it loses is looked for by the schedule
  std::uint32_t looks = 0;     // in vain, since the last event of the service
  bool heard = false;
  while (!ctx.cancelled()) {
    const auto& schedule = was_up ? options : before_bell;
    const auto phase = was_up ? probes::Phase::watching : probes::Phase::starting;
    Duration pause = probes::next_delay(schedule, phase, loop_.now() - terms_.started_at, attempts, random_);
    if (counts_events && attempts > 0) {
      // Its own period is how often it is asked besides.
      const Duration longest = schedule.period.value_or(Duration::max());
      pause = std::min(watched.probe->next_look(looks).value_or(pause), longest);
    }
    if (pause == Duration::zero() && looks > 0) co_await yield(loop_);
    TimePoint next = saturating_add(loop_.now(), pause);
    if (was_up) next = probes::in_company(next, pause);
    if (held_back) next = not_before;
    bool was_poked = true;
    if (next == TimePoint::max()) {
      (void)co_await watched.poke.wait(ctx);  // for those who are told: neither a timer nor a choice
    } else {
      auto poked = on(watched.poke);
      auto due = at(loop_, next);
      was_poked = co_await select(ctx, poked, due) == 0;
    }
    if (ctx.cancelled()) break;
    if (was_poked) {
      heard = true;
      looks = 0;
    }
    if (held_back && loop_.now() < not_before) continue;  // no event makes the first attempt earlier
    held_back = false;

    const std::optional<Result<void>> tried = co_await attempt(ctx, watched);
    if (!tried) break;
    const Result<void>& outcome = *tried;
    ++attempts;
    counts_events = counts_events && !outcome;
    if (heard) ++looks;
    listener_.probe_tried(terms_.role, watched.index, outcome);
    const auto change = thresholds.record(outcome.has_value());
    if (change == probes::Thresholds::Change::none) continue;
    const bool up = change == probes::Thresholds::Change::up;
    if (up != was_up) attempts = 0;
    was_up = up;
    listener_.probe_changed(terms_.role, watched.index, up, outcome ? Error() : outcome.error());
    if (!up || watched.keep_asking) continue;
    watched.rests = true;
    co_await yield(loop_);  // the bell first, then what is left of this task
    break;
  }
}

// Empty: cancelled. One that fell into a pause of belfry says nothing, because its answer could not come.
Task<std::optional<Result<void>>> ProbeWatch::attempt(Context& ctx, Watched& watched) {
  for (;;) {
    const Duration paused_before = loop_.paused();
    const Result<Permit> permit = co_await means_.slots.acquire(ctx);
    if (!permit) co_return std::nullopt;
    Context limited(ctx, saturating_add(loop_.now(), watched.options.attempt_timeout));
    const TimePoint began = loop_.now();
    Result<void> outcome = co_await watched.probe->check(limited);
    if (ctx.cancelled()) co_return std::nullopt;
    means_.times.probe_took(watched.kind, loop_.now() - began);
    if (outcome || loop_.paused() == paused_before) co_return outcome;
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
    listener_.probe_tried(terms_.role, watched.index, *tried);
    listener_.probe_changed(terms_.role, watched.index, false, tried->error());
    co_await ask_repeatedly(ctx, watched);
    co_return;
  }
  watched.rests = true;
}

}  // namespace belfry::daemon
