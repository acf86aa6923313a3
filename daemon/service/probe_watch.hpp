// Keeps asking the probes of one run that have to be asked (`tcp`, `http`, `exec`, `port`, …) and tells
// their owner when one of them changes its mind. Kinds whose truth arrives by itself (notify, fd, log)
// never come here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/semaphore.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"
#include "channels/wakeup.hpp"
#include "config/model/model.hpp"
#include "daemon/journal/evidence.hpp"
#include "daemon/service/probe_rhythm.hpp"
#include "probes/factory.hpp"
#include "probes/probe.hpp"
#include "probes/schedule.hpp"

namespace belfry::daemon {

enum class ProbeRole : std::uint8_t { ready, live, bell };

// Random numbers in [0, 1): back-off and periodic probes spread by them.
class RandomSource {
 public:
  virtual double random() = 0;

 protected:
  ~RandomSource() = default;
};

// One that is over, and was not cancelled.
struct ProbeAttempt {
  config::Probe::Kind kind;
  std::uint32_t index;  // among those of its role
  ProbeRole role;
  Duration took;
  const Result<void>& outcome;
};

// When the certificate ends that a server has shown to a probe: the `index`th of those of its role.
struct CertificateExpiry {
  config::Probe::Kind kind;
  std::uint32_t index;
  ProbeRole role;
  probes::SystemTime at;
};

// Takes out of what is said to people what must not be shown to them.
class Redactor {
 public:
  [[nodiscard]] virtual std::string shown(std::string text) const = 0;
  [[nodiscard]] Error shown(const Error& error) const;

 protected:
  ~Redactor() = default;
};

// What it takes to ask probes. Owner: the supervisor.
struct ProbeMeans {
  Semaphore& slots;
  probes::Factory& factory;
  RandomSource& random;
  const Redactor* redactor = nullptr;  // null: what probes say holds no secrets
};

// Told on the loop's thread, from the probe's own task.
class ProbeListener {
 public:
  virtual void probe_changed(ProbeRole role, std::uint32_t index, bool up, const Error& why) = 0;
  virtual void probe_tried(const ProbeAttempt& attempt) = 0;

 protected:
  ~ProbeListener() = default;
};

// How the probes of a set are asked, beside what the file says of each.
struct WatchTerms {
  ProbeRole role = ProbeRole::ready;
  TimePoint started_at{};             // of the process: the adaptive period counts from it
  std::optional<Duration> recheck{};  // for probes that give none: keep asking after the bell (externals)
};

// Owner: the Service, for one run.
// Lifecycle: made after the spawn; end(), then joined(), then destroyed.
// Cancellation: end(), or the parent's cancel, ends every check; each task is gone within a turn.
class ProbeWatch {
 public:
  ProbeWatch(Context& parent, const ProbeMeans& means, ProbeListener& listener, WatchTerms terms);

  // Makes the probes; nothing runs yet. The error names the one that can't be made.
  Result<void> make(const config::ProbeSet& set, const probes::ProbeContext& about);
  // Asks them from now on. `random` in [0, 1) spreads periodic checks.
  void ask(double random);
  // Something happened to the service: ask all at once that are not true yet, or may be true no more. What is
  // asked by its period is asked at most ten times a second.
  void trigger();
  // It gave a sign of life, which is no news of what it offers: what is true and may be lost in silence is
  // looked at, and what was true and fails, at most ten times a second.
  void look_after_levels();
  void end(const Error& cause);
  // As of when the probes of `truths` are known to be true: the earliest of them, of `any` the latest.
  [[nodiscard]] TimePoint known_as_of(std::uint32_t truths, bool any) const;
  // Of the first probe that has one.
  [[nodiscard]] Error doubt() const;
  void look_afresh();
  // How the probe with this index comes to know, when its kind does not say it all.
  [[nodiscard]] std::string method_of(std::uint32_t index) const;
  // What the last answer of the probe with this index rests on.
  [[nodiscard]] Evidence evidence_of(std::uint32_t index) const;
  [[nodiscard]] std::vector<CertificateExpiry> certificates() const;
  // The first of them that is asked for a reason, as probes::Probe::polling() says it.
  [[nodiscard]] std::string polling() const;
  // Waits until no check runs. Give it a context that outlives `end`.
  auto joined(Context& patience) { return tasks_.wait(patience); }
  [[nodiscard]] bool idle() const { return tasks_.count() == 0; }

 private:
  struct Watched final : probes::NewsListener {
    Watched(Loop& loop, std::unique_ptr<probes::Probe> p, config::Probe::Kind k, std::uint32_t i,
            probes::ScheduleOptions o, bool again)
        : probe(std::move(p)),
          index(i),
          kind(k),
          options(o),
          keep_asking(again),
          poke(loop, "probe trigger") {}
    void on_news() override {
      has_news = true;
      poke.notify();
    }

    std::unique_ptr<probes::Probe> probe;
    std::uint32_t index;
    config::Probe::Kind kind;
    probes::ScheduleOptions options;
    bool keep_asking;
    std::optional<Duration> recheck{};  // the period after the bell
    Wakeup poke;
    bool has_news = false;    // the probe itself has poked
    bool is_failing = false;  // it was true, and is not, or will not be for long
    bool rests = false;       // it was true, and nobody asks it
    bool was_lost = false;    // it was true once in this run
    TimePoint looked_at{};    // when it was true
  };

  Task<void> ask_repeatedly(Context& ctx, Watched& watched);
  Task<bool> until_due(Context& ctx, Watched& watched, ProbeRhythm& rhythm);
  Task<std::optional<Result<void>>> attempt(Context& ctx, Watched& watched);
  void report(Watched& watched, ProbeRhythm& rhythm, const Result<void>& outcome);
  void wake(Watched& watched);
  [[nodiscard]] std::string shown(std::string text) const;
  Task<void> look_again(Context& ctx, Watched& watched);
  [[nodiscard]] RhythmTerms rhythm_of(const Watched& watched) const;

  Loop& loop_;
  const ProbeMeans& means_;
  ProbeListener& listener_;
  WatchTerms terms_;
  double random_ = 0;
  Context context_;
  WaitGroup tasks_;
  std::vector<std::unique_ptr<Watched>> watched_;
};

}  // namespace belfry::daemon
