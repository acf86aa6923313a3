#include "daemon/service/own_bells.hpp"

namespace belfry::daemon {

std::uint32_t all_of(const config::ProbeSet& set) {
  const auto count = static_cast<std::uint32_t>(set.probes.size());
  return count >= 32 ? ~0U : (1U << count) - 1;
}

bool holds(const config::ProbeSet& set, std::uint32_t truths) {
  if (set.empty()) return true;
  return set.any ? truths != 0 : truths == all_of(set);
}

OwnBells::OwnBells(Context& parent, const ProbeMeans& means, const std::vector<config::OwnBell>& specs,
                   OwnBellListener& listener, TimePoint started_at) {
  for (std::uint32_t i = 0; i < specs.size(); ++i)
    bells_.emplace_back(parent, means, specs[i], i, listener, started_at);
}

Result<void> OwnBells::make(const probes::ProbeContext& about) {
  for (One& bell : bells_) {
    if (auto ok = bell.make(about); !ok) return ok;
  }
  return {};
}

void OwnBells::ask(double random) {
  for (One& bell : bells_) bell.watch().ask(random);
}

void OwnBells::heard(const Heard& what) {
  for (One& bell : bells_) bell.heard(what);
}

void OwnBells::trigger() {
  for (One& bell : bells_) bell.watch().trigger();
}

void OwnBells::end(const Error& cause) {
  for (One& bell : bells_) bell.watch().end(cause);
}

Task<Result<void>> OwnBells::joined(Context& patience) {
  for (One& bell : bells_) {
    Result<void> ended = co_await bell.watch().joined(patience);
    if (!ended) co_return ended;
  }
  co_return Result<void>{};
}

OwnBells::One::One(Context& parent, const ProbeMeans& means, const config::OwnBell& spec, std::uint32_t index,
                   OwnBellListener& listener, TimePoint started_at)
    : spec_(spec),
      index_(index),
      listener_(listener),
      watch_(parent, means, static_cast<ProbeListener&>(*this),
             {.role = ProbeRole::bell, .started_at = started_at}) {}

void OwnBells::One::heard(const Heard& what) {
  for (std::uint32_t i = 0; i < spec_.probes.probes.size(); ++i) {
    if (!what.is(spec_.probes.probes[i])) continue;
    truths_ |= 1U << i;
    look(evidence_of(what, i));
  }
}

void OwnBells::One::probe_changed(ProbeRole, std::uint32_t probe, bool up, const Error&) {
  if (!up) return;
  truths_ |= 1U << probe;
  look(watch_.evidence_of(probe));
}

void OwnBells::One::look(const Evidence& evidence) {
  if (told_ || !holds(spec_.probes, truths_)) return;
  told_ = true;
  watch_.end(Error::closed("the bell has rung"));
  listener_.own_bell_true(index_, evidence);
}

}  // namespace belfry::daemon
