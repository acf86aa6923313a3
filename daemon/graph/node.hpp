// A service as the graph sees it: its edges, its dependents, and the few facts that decide a level.
//
// The problem: whether somebody may start, must stop or is to be told is decided over edges, by what others
// are; and whoever decides it inside of a service reaches into all the others. So the graph has its own view
// of a service, and it is all that one service ever sees of another one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/time/time.hpp"
#include "config/model/model.hpp"
#include "daemon/graph/edge.hpp"
#include "daemon/state/service_state.hpp"

namespace belfry::daemon {

// What somebody outside wants of a running service.
enum class Intent : std::uint8_t {
  run,    // nothing else
  rest,   // stop, and stay stopped
  again,  // stop, then wait for the edges and start again
};

// The facts that others' edges are judged by. The service writes them, the graph reads them.
struct Standing {
  State state = State::inactive;
  Intent intent = Intent::run;
  bool in_order = true;  // it stops only after all running dependents have stopped
  bool start_requested = false;
  bool last_run_succeeded = false;
  std::uint64_t started_in = 0;  // when its run began, counted in starts and requests of the whole stack
};

// Owner: whoever derives from it (daemon/service/service). Lifecycle: as the graph, in which it is one of the
// nodes from DependencyGraph::add() on.
class Node {
 public:
  Node(const config::Service& spec, std::uint32_t index) : spec_(&spec), index_(index) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // --- what only the service knows
  // A level of its own run. A gate is asked for `ready` alone: all else is its members'.
  [[nodiscard]] virtual bool own_level(config::Condition condition, std::string_view bell) const = 0;
  // The process is dead, though the state does not say so yet.
  [[nodiscard]] virtual bool process_has_died() const = 0;

  // As of when its levels are known: of what belfry runs, now; of what it is told of, then.
  [[nodiscard]] virtual TimePoint known_as_of() const { return TimePoint::max(); }

  // --- what it is told, to be looked at in the coming turn
  // A level below it may have changed; `bell_rang`: by a bell, which wakes those who wait for it by itself.
  virtual void dependency_changed(bool bell_rang) = 0;
  // Its own levels may have changed: whoever watches it from outside of the graph looks again.
  virtual void level_changed() = 0;
  // Somebody above it has gone.
  virtual void look_again() = 0;
  // Somebody would start by its levels, and they are known as of an earlier time.
  virtual void look_afresh() {}

  // --- what is so
  [[nodiscard]] std::string_view name() const { return spec_->name; }
  [[nodiscard]] const config::Service& spec() const { return *spec_; }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] const Standing& standing() const { return *standing_; }
  [[nodiscard]] State state() const { return standing_->state; }
  [[nodiscard]] const std::vector<Edge>& edges() const { return edges_; }
  [[nodiscard]] const std::vector<Node*>& dependents() const { return dependents_; }
  [[nodiscard]] bool is_gate() const { return spec_->type == config::ServiceType::gate; }
  // Gates and externals have nothing to stop: the order of stops goes through them.
  [[nodiscard]] bool is_transparent() const {
    return is_gate() || spec_->type == config::ServiceType::external;
  }
  // Other hosts tell of it (`cluster`).
  [[nodiscard]] bool is_remote() const {
    return spec_->type == config::ServiceType::external &&
           std::ranges::find(spec_->ready.probes, config::Probe::Kind::cluster, &config::Probe::kind) !=
               spec_->ready.probes.end();
  }
  // A stop has been announced, or is on its way.
  [[nodiscard]] bool is_leaving() const {
    return standing_->intent != Intent::run || standing_->state == State::stopping;
  }
  // A oneshot without probes: its `ready` is its success.
  [[nodiscard]] bool ready_means_completed() const {
    return spec_->type == config::ServiceType::oneshot && spec_->ready.empty();
  }
  [[nodiscard]] bool cleans_up() const {
    return spec_->extras != nullptr && !spec_->extras->post_stop.empty();
  }
  // How long a stop may take in all.
  [[nodiscard]] Duration stop_allowance() const {
    return saturating_multiply(spec_->stop.timeout, cleans_up() ? 2 : 1);
  }

  // --- levels. A stop that has been announced is a level already lost: nobody may start on what is about to
  // go.
  [[nodiscard]] bool level(config::Condition condition, std::string_view bell = {}) const;
  [[nodiscard]] bool default_level() const;  // what /readyz asks: ready, for a oneshot completed
  // Of a gate: how many of its members hold; those that an edge of this condition asks for.
  [[nodiscard]] std::size_t members_that_hold(config::Condition condition = config::Condition::ready,
                                              std::string_view bell = {}) const;
  [[nodiscard]] std::size_t members_needed() const;
  // Of a gate: all of its members, as it is counted now.
  [[nodiscard]] std::size_t size() const { return counted_size_ != 0 ? counted_size_ : edges_.size(); }
  // Of a gate: by the members that a reload leaves it, until they are all that it has.
  [[nodiscard]] bool is_counted_ahead() const { return counted_size_ != 0; }
  // All edges hold; of a gate enough of them.
  [[nodiscard]] bool edges_hold() const;
  [[nodiscard]] const Edge* first_missing_edge() const;
  // Its first edge that cannot hold by itself any more, unless it can do without it.
  [[nodiscard]] const Edge* hopeless_edge() const;
  // All it needed of `other` was work that is done.
  [[nodiscard]] bool is_done_with(const Node& other) const;
  // One of its edges does something about a lost level.
  [[nodiscard]] bool cares_about_loss() const { return cares_about_loss_; }
  // Everything goes, and somebody above it still runs.
  [[nodiscard]] bool is_held() const { return holders_ != 0; }

 protected:
  ~Node() = default;
  // A reload describes it anew; its edges are drawn again by DependencyGraph::connect(), in the same turn.
  void describe_by(const config::Service& spec) { spec_ = &spec; }
  // What a reload has drawn anew, and holds by now, can be lost from here on.
  void take_new_edges();

 private:
  friend class DependencyGraph;

  const config::Service* spec_;
  const Standing* standing_ = nullptr;  // from add() on
  std::uint32_t index_;
  std::uint32_t holders_ = 0;         // when everything goes: dependents that run, or are held themselves
  std::uint32_t counted_size_ = 0;    // of a gate that a reload is about to make smaller; 0: as it is drawn
  std::uint32_t counted_needed_ = 0;  // the same
  bool cares_about_loss_ = false;
  bool seen_through_ = false;  // a gate whose dependents ask for its members
  std::vector<Edge> edges_;
  std::vector<Node*> dependents_;
};

}  // namespace belfry::daemon
