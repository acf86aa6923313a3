// One run of a service and its bells.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "channels/bell.hpp"
#include "config/model/model.hpp"
#include "daemon/service/outputs.hpp"

namespace belfry::daemon {

// Each bell ends once: it rings, or it never will and says why; all of them before `stopped`.
//
// Owner: the Service; whoever waits for one of the bells shares it, because the service may have gone
//   on to its next run by the time the waiter is resumed (idea 3).
// Lifecycle: fresh (nothing has ended), running, ended. A restart is a new incarnation.
// Cancellation: none here; a wait is cancelled by its own context and never touches the bell.
struct Incarnation {
  Incarnation(Loop& loop, std::uint64_t n, const std::vector<config::OwnBell>* own = nullptr)
      : started(loop, "started"), ready(loop, "ready"), stopped(loop, "stopped"), number(n) {
    if (own == nullptr || own->empty()) return;
    own_ = std::make_unique<std::deque<Own>>();
    for (const config::OwnBell& spec : *own) own_->emplace_back(loop, spec.name);
  }

  Bell<> started;  // exec succeeded
  Bell<> ready;    // every probe of `ready:` was true
  Bell<> stopped;  // no process attributable to it is left
  std::uint64_t number;
  std::unique_ptr<Outputs> outputs;  // what the bells carry; null: nothing was published
  [[nodiscard]] Outputs& published() {
    if (outputs == nullptr) outputs = std::make_unique<Outputs>();
    return *outputs;
  }

  // A reload may have taken it away from who still asks for it.
  [[nodiscard]] bool has_own(std::string_view name) const {
    return own_ != nullptr && std::ranges::find(*own_, name, &Own::name) != own_->end();
  }
  // The one that the service calls so. Precondition: has_own().
  [[nodiscard]] Bell<>& own(std::string_view name) {
    return std::ranges::find(*own_, name, &Own::name)->bell;
  }
  [[nodiscard]] Bell<>& own(std::size_t index) { return (*own_)[index].bell; }

  // The bell that a condition waits for first. What comes after it (a level lost and regained) has no
  // bell of its own: dependents are told of every change of state.
  [[nodiscard]] Bell<>& bell_for(config::Condition condition, std::string_view name = {}) {
    switch (condition) {
      case config::Condition::started: return started;
      case config::Condition::ready: return ready;
      case config::Condition::own_bell: return has_own(name) ? own(name) : ready;  // of a gate: its members'
      case config::Condition::completed:
      case config::Condition::stopped: return stopped;
    }
    return ready;
  }

  // No bell of the run but `stopped` is left to ring, when `ready` has.
  [[nodiscard]] bool has_rung_its_own() const {
    return own_ == nullptr || std::ranges::all_of(*own_, [](const Own& one) { return one.bell.ended(); });
  }

  // The run is over, or will never be: whatever has not rung never will.
  void end(const Error& cause) {
    started.never(cause);
    ready.never(cause);
    if (own_ == nullptr) return;
    for (Own& one : *own_) one.bell.never(cause);
  }

 private:
  struct Own {
    Own(Loop& loop, std::string_view n) : name(n), bell(loop, "own bell") {}
    std::string name;
    Bell<> bell;
  };
  std::unique_ptr<std::deque<Own>> own_;  // null: it names none
};

using SharedIncarnation = std::shared_ptr<Incarnation>;

}  // namespace belfry::daemon
