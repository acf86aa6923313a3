#include "waiter/attempts.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "channels/sleep.hpp"
#include "channels/wakeup.hpp"
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

// A probe that can say by itself when to ask again is let to, for as long as this lives.
class News final : public probes::NewsListener {
 public:
  News(Loop& loop, probes::Probe& probe) : changed_(loop, "news of a probe"), probe_(probe) {}
  ~News() { probe_.tell(nullptr); }
  News(const News&) = delete;
  News& operator=(const News&) = delete;
  void begin() { probe_.tell(this); }
  [[nodiscard]] Wakeup& changed() { return changed_; }

 private:
  void on_news() override { changed_.notify(); }
  Wakeup changed_;
  probes::Probe& probe_;
};

// Until it is worth asking again; false: the wait is over.
Task<bool> rest(Context& ctx, const probes::Probe& probe, News& news, Duration pause) {
  if (probe.is_told()) {
    const Result<void> told = co_await news.changed().wait(ctx);
    if (!told) co_return false;
    pause = Duration::zero();
  }
  const Result<void> slept = co_await sleep_for(ctx, std::max(pause, probe.rest()));
  co_return slept.has_value();
}

}  // namespace

bool proves_absence(const Error& why) {
  switch (why.errnum()) {
    case EACCES:
    case EPERM:
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
  News news(loop, probe);
  for (std::uint64_t attempts = 0;; ++attempts) {
    if (attempts == 1) news.begin();  // what is there at once needs no watch
    Result<Permit> permit = co_await slots.acquire(ctx);
    if (!permit) co_return;
    Context limited(ctx, saturating_add(loop.now(), terms.timeout));
    const probes::CheckResult outcome = co_await probe.check(limited);
    if (!outcome && ctx.cancelled()) co_return;
    if (judge(outcome, terms, tally, index)) co_return;
    permit->release();
    const Duration pause = terms.interval.value_or(probes::adaptive_delay(loop.now() - began));
    const bool goes_on = co_await rest(ctx, probe, news, pause);
    if (!goes_on) co_return;
  }
}

}  // namespace belfry::waiter
