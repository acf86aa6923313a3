#include "daemon/service/readiness.hpp"

#include <algorithm>

namespace belfry::daemon {

namespace {

// Nobody tells how an external is: it is looked at again.
constexpr Duration recheck_of_externals = std::chrono::seconds(10);
constexpr std::size_t most_kept_words = 256;  // the journal keeps no more of them

}  // namespace

KeptEvidence::KeptEvidence(const Evidence& of) : evidence(of), words_(of.words.substr(0, most_kept_words)) {
  evidence.words = words_;
}

Result<std::unique_ptr<ProbeWatch>> Readiness::make(const config::ProbeSet& set, WatchTerms terms,
                                                    const probes::ProbeContext& about) {
  if (std::ranges::all_of(set.probes, [](const config::Probe& p) { return probes::is_event(p.kind); }))
    return nullptr;
  if (spec_.type == config::ServiceType::external) terms.recheck = recheck_of_externals;
  ProbeListener& listener = *this;
  auto watch = std::make_unique<ProbeWatch>(parent_, means_, listener, terms);
  if (auto made = watch->make(set, about); !made) return std::unexpected(made.error());
  return watch;
}

Result<void> Readiness::watch(const probes::ProbeContext& about) {
  auto ready = make(spec_.ready, {.role = ProbeRole::ready, .started_at = *about.began}, about);
  if (!ready) return std::unexpected(ready.error());
  std::unique_ptr<OwnBells> bells;
  if (spec_.extras != nullptr && !spec_.extras->bells.empty()) {
    OwnBellListener& listener = *this;
    bells = std::make_unique<OwnBells>(parent_, means_, spec_.extras->bells, listener, *about.began);
    if (auto made = bells->make(about); !made) return made;
  }
  ready_ = std::move(*ready);
  own_bells_ = std::move(bells);
  if (ready_) ready_->ask(means_.random.random());
  if (own_bells_) own_bells_->ask(means_.random.random());
  return {};
}

Result<void> Readiness::watch_live(const probes::ProbeContext& about) {
  auto live = make(*live_set_, {.role = ProbeRole::live, .started_at = parent_.loop().now()}, about);
  if (!live) return std::unexpected(live.error());
  live_ = std::move(*live);
  if (live_) live_->ask(means_.random.random());
  return {};
}

void Readiness::leave(std::unique_ptr<ProbeWatch>& watch, SharedSpec spec) {
  std::erase_if(left_, [](const Left& one) { return one.watch->idle(); });
  if (watch == nullptr) return;
  watch->end(Error::cancelled("it is asked in another way"));
  left_.push_back({.spec = std::move(spec), .watch = std::move(watch)});
}

Result<void> Readiness::watch_anew(SharedSpec spec, const probes::ProbeContext& about) {
  auto ready = make(spec->ready, {.role = ProbeRole::ready, .started_at = *about.began}, about);
  if (!ready) return std::unexpected(ready.error());
  leave(ready_, std::exchange(ready_from_, std::move(spec)));
  ready_ = std::move(*ready);
  if (ready_) ready_->ask(means_.random.random());
  return {};
}

Result<void> Readiness::exchange_live(SharedSpec spec, const probes::ProbeContext* about) {
  const config::ProbeSet* live = spec->live.get();
  leave(live_, std::exchange(live_from_, std::move(spec)));
  exchange_live_set(live);
  listener_.readiness_changed();
  return live == nullptr || about == nullptr ? Result<void>() : watch_live(*about);
}

Task<Result<void>> Readiness::end(Context& patience) {
  const Error cause = Error::cancelled("the service stops");
  Result<void> all;
  for (auto* watch : {&ready_, &live_}) {
    if (*watch == nullptr) continue;
    (*watch)->end(cause);
    Result<void> joined = co_await (*watch)->joined(patience);
    if (!joined && all) all = joined;
    watch->reset();
  }
  for (const Left& one : left_) {
    Result<void> joined = co_await one.watch->joined(patience);
    if (!joined && all) all = joined;
  }
  left_.clear();
  if (own_bells_ == nullptr) co_return all;
  own_bells_->end(cause);
  Result<void> joined = co_await own_bells_->joined(patience);
  if (!joined && all) all = joined;
  own_bells_.reset();
  co_return all;
}

void Readiness::heard(const Heard& what) {
  for (std::uint32_t i = 0; i < spec_.ready.probes.size(); ++i) {
    const std::uint32_t bit = 1U << i;
    if (!what.is(spec_.ready.probes[i]) || (truths_ & bit) != 0) continue;
    truths_ |= bit;
    evidence_ = std::make_unique<KeptEvidence>(evidence_of(what, i));
  }
  trigger();
  if (own_bells_) own_bells_->heard(what);
}

void Readiness::trigger() {
  if (ready_) ready_->trigger();
  if (live_) live_->trigger();
  if (own_bells_) own_bells_->trigger();
}

void Readiness::look_after_levels() {
  if (ready_) ready_->look_after_levels();
  if (live_) live_->look_after_levels();
}

std::string missing_news(const config::ProbeSet& set, std::uint32_t truths) {
  for (std::uint32_t i = 0; i < set.probes.size(); ++i) {
    if ((truths >> i & 1U) != 0) continue;
    switch (set.probes[i].kind) {
      case config::Probe::Kind::notify: return "it has not said READY=1";
      case config::Probe::Kind::fd: return "it has not written to its ready descriptor";
      case config::Probe::Kind::log: return "it has not written a line that matches";
      default: break;
    }
  }
  return {};
}

std::string Readiness::method_of(std::uint32_t index) const {
  return ready_ ? ready_->method_of(index) : std::string();
}

std::vector<CertificateExpiry> Readiness::certificates() const {
  std::vector<CertificateExpiry> all;
  if (ready_) all = ready_->certificates();
  if (live_) std::ranges::copy(live_->certificates(), std::back_inserter(all));
  return all;
}

TimePoint Readiness::known_as_of() const {
  if (ready_ == nullptr) return TimePoint::max();
  // What is true no more is not known to be true, though the state does not say so yet.
  return is_true() ? ready_->known_as_of(truths_, spec_.ready.any) : TimePoint::min();
}

std::string Readiness::polling() const {
  std::string why = ready_ ? ready_->polling() : std::string();
  return why.empty() && live_ ? live_->polling() : why;
}

void Readiness::live_changed(std::uint32_t index, bool up, const Error& why) {
  const std::uint32_t bit = 1U << index;
  live_truths_ = up ? live_truths_ | bit : live_truths_ & ~bit;
  if (is_alive() || gravest_of_failed() == config::OnFailure::unready) return listener_.readiness_changed();
  if (!up) listener_.live_failed(why, gravest_of_failed() == config::OnFailure::shutdown);
}

config::OnFailure Readiness::gravest_of_failed() const {
  bool restarts = false;
  for (std::uint32_t i = 0; i < live_set_->probes.size(); ++i) {
    if ((live_truths_ >> i & 1U) != 0) continue;
    const config::OnFailure what = live_set_->probes[i].on_failure;
    if (what == config::OnFailure::shutdown) return what;
    restarts = restarts || what == config::OnFailure::restart;
  }
  return restarts ? config::OnFailure::restart : config::OnFailure::unready;
}

void Readiness::probe_changed(ProbeRole role, std::uint32_t index, bool up, const Error& why) {
  if (!up) last_error_ = why;
  if (role == ProbeRole::live) return live_changed(index, up, why);
  if (role == ProbeRole::ready) {
    const std::uint32_t bit = 1U << index;
    truths_ = up ? truths_ | bit : truths_ & ~bit;
    if (up && ready_) evidence_ = std::make_unique<KeptEvidence>(ready_->evidence_of(index));
  }
  listener_.readiness_changed();
}

void Readiness::probe_tried(const ProbeAttempt& attempt) {
  listener_.probe_tried(attempt);
  if (!attempt.outcome) last_error_ = attempt.outcome.error();
}

void Readiness::own_bell_true(std::uint32_t bell, const Evidence& evidence) {
  rung_ |= 1U << bell;
  listener_.own_bell_true(bell, evidence);
}

}  // namespace belfry::daemon
