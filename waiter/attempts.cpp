#include "waiter/attempts.hpp"

#include <cerrno>

#include "channels/sleep.hpp"
#include "config/model/exit_codes.hpp"
#include "probes/schedule.hpp"

namespace belfry::waiter {
namespace {

// Tells the tally what an attempt has shown; whether that settles it.
bool judge(const probes::CheckResult& outcome, const AttemptTerms& terms, Tally& tally, std::size_t index) {
  if (!outcome && outcome.error().kind() == Error::Kind::invalid) {
    tally.hopeless(index, {exit_code::unavailable, outcome.error().text(), ""});
    return true;
  }
  const bool is_so = terms.negated ? !outcome && proves_absence(outcome.error()) : outcome.has_value();
  if (is_so)
    tally.met(index);
  else
    tally.not_yet(index, outcome ? "it is still there" : outcome.error().text());
  return is_so;
}

}  // namespace

bool proves_absence(const Error& why) {
  switch (why.errnum()) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL: return false;
    default: return true;
  }
}

Task<void> ask_until_settled(Context& ctx, probes::Probe& probe, const AttemptTerms& terms, Semaphore& slots,
                             Tally& tally, std::size_t index) {
  Loop& loop = ctx.loop();
  const TimePoint began = loop.now();
  for (;;) {
    Result<Permit> permit = co_await slots.acquire(ctx);
    if (!permit) co_return;
    Context limited(ctx, saturating_add(loop.now(), terms.timeout));
    const probes::CheckResult outcome = co_await probe.check(limited);
    if (!outcome && ctx.cancelled()) co_return;
    if (judge(outcome, terms, tally, index)) co_return;
    permit->release();
    const Duration pause = terms.interval.value_or(probes::adaptive_delay(loop.now() - began));
    const Result<void> slept = co_await sleep_for(ctx, pause);
    if (!slept) co_return;
  }
}

}  // namespace belfry::waiter
