// When each service came how far in its start: what the time of a start is made of.
//
// The problem: the journal forgets, and a start with ten thousand services is over before anybody asks for
// it. So the few moments that count are kept for each service, of one start: the one that somebody asked for
// last. It is over when the service is ready or done; what a crash brings later is not of the start.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "channels/time/time.hpp"
#include "config/model/compact.hpp"
#include "daemon/state/service_state.hpp"

namespace belfry::daemon {

using Milestone = config::CompactOptional<TimePoint>;

// Of one service. Every moment is the last one in this start: attempts that failed leave none.
struct Milestones {
  Milestone wanted{};    // somebody asked for it
  Milestone waiting{};   // began to wait for its edges
  Milestone starting{};  // all of them held
  Milestone started{};   // exec has succeeded
  Milestone ready{};
  Milestone stopped{};  // the run has ended
  std::uint32_t incarnation = 0;
  std::uint32_t attempts = 0;
  bool over = false;  // what comes now is not of this start
  std::unique_ptr<Milestone[]>
      edges{};  // since when each held, in the file's order; null: it has not started
};

// Owner: the supervisor. Lifecycle: as long as it. Cancellation: none, it never waits.
class Timeline {
 public:
  explicit Timeline(std::size_t services) : services_(services) {}

  // One more service.
  void add() { services_.emplace_back(); }
  // Its edges are others from now on: what is known of them is known of none of these.
  void forget_edges(std::size_t service) { services_[service].edges.reset(); }

  void begun(TimePoint at) { begun_ = at; }
  void up(TimePoint at) { up_ = at; }
  void entered(std::size_t service, State from, State to, TimePoint at, std::uint64_t incarnation);
  void started(std::size_t service, TimePoint at);
  // When `entered` was told that it is starting.
  void edges_hold_since(std::size_t service, std::span<const Milestone> edges);
  // Whether it wants to know them: not of a restart.
  [[nodiscard]] bool cares(std::size_t service) const { return !services_[service].over; }

  [[nodiscard]] Milestone begun() const { return begun_; }
  [[nodiscard]] Milestone up() const { return up_; }  // for the first time
  [[nodiscard]] const Milestones& of(std::size_t service) const { return services_[service]; }

 private:
  std::vector<Milestones> services_;
  Milestone begun_, up_;
};

}  // namespace belfry::daemon
