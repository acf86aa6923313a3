// The bells that a service names itself (`bells: {booted: {log: …}, warm: {http: …}}`): milestones of a
// run beside `ready`, each with probes of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "channels/task.hpp"
#include "config/model/model.hpp"
#include "daemon/service/probe_watch.hpp"
#include "daemon/service/service_events.hpp"

namespace belfry::daemon {

// Told on the loop's thread. A bell is true once in a run.
class OwnBellListener {
 public:
  virtual void own_bell_true(std::uint32_t bell, const Evidence& evidence) = 0;
  virtual void own_bell_tried(const ProbeAttempt& attempt) = 0;

 protected:
  ~OwnBellListener() = default;
};

// Owner: the Service, for one run.
// Lifecycle: made after the spawn; end(), then joined(), then destroyed. A bell that is true is asked no
// more. Cancellation: end() cancels every check; each is gone within a turn.
class OwnBells {
 public:
  OwnBells(Context& parent, const ProbeMeans& means, const std::vector<config::OwnBell>& specs,
           OwnBellListener& listener, TimePoint started_at);

  // The error names the probe that can't be made.
  Result<void> make(const probes::ProbeContext& about);
  void ask(double random);
  // An event of the service: those that wait for just this kind have it, the others are asked at once.
  void heard(const Heard& what);
  void trigger();
  void end(const Error& cause);
  Task<Result<void>> joined(Context& patience);

 private:
  class One final : ProbeListener {
   public:
    One(Context& parent, const ProbeMeans& means, const config::OwnBell& spec, std::uint32_t index,
        OwnBellListener& listener, TimePoint started_at);
    Result<void> make(const probes::ProbeContext& about) { return watch_.make(spec_.probes, about); }
    void heard(const Heard& what);
    ProbeWatch& watch() { return watch_; }

   private:
    void probe_changed(ProbeRole role, std::uint32_t probe, bool up, const Error& why) override;
    void probe_tried(const ProbeAttempt& attempt) override { listener_.own_bell_tried(attempt); }
    void look(const Evidence& evidence);

    const config::OwnBell& spec_;
    std::uint32_t index_;
    OwnBellListener& listener_;
    std::uint32_t truths_ = 0;  // bit i: probe i has been true
    bool told_ = false;
    ProbeWatch watch_;
  };

  std::deque<One> bells_;
};

// The bits of all probes of a set.
[[nodiscard]] std::uint32_t all_of(const config::ProbeSet& set);
// Whether the probes whose bits are set make the set true.
[[nodiscard]] bool holds(const config::ProbeSet& set, std::uint32_t truths);

}  // namespace belfry::daemon
