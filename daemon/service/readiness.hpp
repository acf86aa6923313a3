// What is true of one run: the probes of its `ready` and `live`, and its own bells.
//
// The problem: readiness comes from three directions (probes that are asked, events that arrive, listeners
// that vanish), and whoever decides on it wants one answer. Here is the one place that knows which probe is
// true; what follows from it is the service's business.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channels/context.hpp"
#include "channels/semaphore.hpp"
#include "channels/task.hpp"
#include "daemon/service/own_bells.hpp"
#include "daemon/service/probe_watch.hpp"
#include "daemon/service/service_events.hpp"

namespace belfry::daemon {

// A description that a reload has brought along; null: the one that the service began with, which outlives
// it.
using SharedSpec = std::shared_ptr<const config::Service>;

// Evidence whose words are its own.
struct KeptEvidence {
  explicit KeptEvidence(const Evidence& of);
  KeptEvidence(const KeptEvidence&) = delete;
  KeptEvidence& operator=(const KeptEvidence&) = delete;
  Evidence evidence;

 private:
  std::string words_;
};

// Which of a run's probes a reload has changed so that they are asked in another way.
struct OtherProbes {
  bool ready = false;  // their tuning: what they ask is the same
  bool live = false;   // which, or how
};

// Told on the loop's thread.
class ReadinessListener {
 public:
  virtual void readiness_changed() = 0;
  // The run is to end; with `for_good` the whole stack.
  virtual void live_failed(const Error& why, bool for_good) = 0;
  virtual void own_bell_true(std::uint32_t bell, const Evidence& evidence) = 0;
  virtual void probe_tried(const ProbeAttempt& attempt) = 0;

 protected:
  ~ReadinessListener() = default;
};

// Owner: the service, for one run.
// Lifecycle: made before the run's first process, so that nothing that is said is lost; watch() when its
//   processes run; end() before it goes.
// Cancellation: end(), or the parent's cancel, ends every check; end() waits for it, which takes one turn.
class Readiness final : ProbeListener, OwnBellListener {
 public:
  // `kept` keeps `spec`.
  Readiness(Context& parent, const ProbeMeans& means, const config::Service& spec, SharedSpec kept,
            ReadinessListener& listener)
      : parent_(parent), means_(means), spec_(spec), kept_(std::move(kept)), listener_(listener) {
    exchange_live_set(spec.live.get());
  }

  // `ready` and the own bells: all probes are made, then all are asked, so that after an error, which names
  // the probe that can't be made, nothing runs. `began` as in ProbeContext: when the run did.
  Result<void> watch(const probes::ProbeContext& about);
  // From the bell on.
  Result<void> watch_live(const probes::ProbeContext& about);
  // The probes of `ready` in `spec`, which differ in their tuning only, are asked from now on; what is known
  // to be true stays so.
  Result<void> watch_anew(SharedSpec spec, const probes::ProbeContext& about);
  // The `live` of `spec` from now on, if it has one. Without `about`, nobody asks it before watch_live().
  Result<void> exchange_live(SharedSpec spec, const probes::ProbeContext* about);
  // The error: a check that had ended with one.
  Task<Result<void>> end(Context& patience);

  // An event of the service: it makes what waits for it true, and is a reason to ask the others at once.
  void heard(const Heard& what);
  // What probes wait for may have come.
  void trigger();
  // It gave a sign of life, which is no news of what it offers.
  void look_after_levels();
  void note_error(const Error& why) { last_error_ = why; }

  // The probes of `ready` are true, as many as it takes, and `live` does not say otherwise.
  [[nodiscard]] bool is_true() const { return holds(spec_.ready, truths_) && is_alive(); }
  [[nodiscard]] std::uint32_t truths() const { return truths_; }  // bit i: probe i of `ready` is true
  [[nodiscard]] bool has_rung(std::size_t own_bell) const { return (rung_ >> own_bell & 1U) != 0; }
  // Of the probe that failed last.
  [[nodiscard]] const Error& last_error() const { return last_error_; }
  // Of the probe of `ready` that was the last to become true; null: none has, or it was taken.
  [[nodiscard]] std::unique_ptr<KeptEvidence> take_evidence() { return std::move(evidence_); }
  // How often the kernel or a server is asked, where that is needed; empty: it is not.
  [[nodiscard]] std::string polling() const;
  // How the probe of `ready` with this index comes to know; empty: its kind says it.
  [[nodiscard]] std::string method_of(std::uint32_t index) const;
  // As of when `ready` is known to be true, and why nobody can be asked at the moment, as of its probes.
  [[nodiscard]] TimePoint known_as_of() const;
  [[nodiscard]] Error doubt() const { return ready_ ? ready_->doubt() : Error(); }
  void look_afresh() {
    if (ready_) ready_->look_afresh();
  }
  // Those that servers have shown to the probes of `ready` and `live`.
  [[nodiscard]] std::vector<CertificateExpiry> certificates() const;

 private:
  // Null: nothing of the set has to be asked.
  Result<std::unique_ptr<ProbeWatch>> make(const config::ProbeSet& set, WatchTerms terms,
                                           const probes::ProbeContext& about);

  [[nodiscard]] bool is_alive() const { return live_set_ == nullptr || holds(*live_set_, live_truths_); }
  void exchange_live_set(const config::ProbeSet* live) {
    live_set_ = live;
    if (live != nullptr) live_truths_ = all_of(*live);
  }
  // On its way out, with the description of its probes.
  struct Left {
    SharedSpec spec;
    std::unique_ptr<ProbeWatch> watch;
  };
  void leave(std::unique_ptr<ProbeWatch>& watch, SharedSpec spec);
  void live_changed(std::uint32_t index, bool up, const Error& why);
  [[nodiscard]] config::OnFailure gravest_of_failed() const;

  void probe_changed(ProbeRole role, std::uint32_t index, bool up, const Error& why) override;
  void probe_tried(const ProbeAttempt& attempt) override;
  void own_bell_true(std::uint32_t bell, const Evidence& evidence) override;
  void own_bell_tried(const ProbeAttempt& attempt) override { listener_.probe_tried(attempt); }

  Context& parent_;
  const ProbeMeans& means_;
  const config::Service& spec_;
  SharedSpec kept_;
  SharedSpec ready_from_, live_from_;  // null: `spec_`
  ReadinessListener& listener_;
  const config::ProbeSet* live_set_ = nullptr;  // null: it has no `live`
  std::uint32_t truths_ = 0;
  std::uint32_t live_truths_ = 0;  // bit i: probe i of `live` has not failed
  std::uint32_t rung_ = 0;         // bit i: own bell i has rung
  Error last_error_;
  std::unique_ptr<KeptEvidence> evidence_;
  std::unique_ptr<ProbeWatch> ready_;
  std::unique_ptr<ProbeWatch> live_;
  std::unique_ptr<OwnBells> own_bells_;
  std::vector<Left> left_;
};

// What was to be said and was not, of the first probe whose truth arrives by itself; empty: nothing. `truths`
// as in Readiness.
[[nodiscard]] std::string missing_news(const config::ProbeSet& set, std::uint32_t truths);

}  // namespace belfry::daemon
