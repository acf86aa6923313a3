// One run of a service and its bells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "channels/bell.hpp"
#include "config/model.hpp"

namespace belfry::daemon {

// Each bell ends once: it rings, or it never will and says why; all of them before `stopped`.
//
// Owner: the Service; whoever waits for one of the bells shares it, because the service may have gone
//   on to its next run by the time the waiter is resumed (idea 3).
// Lifecycle: fresh (nothing has ended), running, ended. A restart is a new incarnation.
// Cancellation: none here; a wait is cancelled by its own context and never touches the bell.
struct Incarnation {
  Incarnation(Loop& loop, std::uint64_t n)
      : started(loop, "started"), ready(loop, "ready"), stopped(loop, "stopped"), number(n) {}

  Bell<> started;  // exec succeeded
  Bell<> ready;    // every probe of `ready:` was true
  Bell<> stopped;  // no process attributable to it is left
  std::uint64_t number;

  // The bell that a condition waits for first. What comes after it (a level lost and regained) has no
  // bell of its own: dependents are told of every change of state.
  [[nodiscard]] Bell<>& bell_for(config::Condition condition) {
    switch (condition) {
      case config::Condition::started: return started;
      case config::Condition::ready: return ready;
      case config::Condition::own_bell: return ready;
      case config::Condition::completed:
      case config::Condition::stopped: return stopped;
    }
    return ready;
  }

  // The run is over, or will never be: whatever has not rung never will.
  void end(const Error& cause) {
    started.never(cause);
    ready.never(cause);
  }
};

using SharedIncarnation = std::shared_ptr<Incarnation>;

}  // namespace belfry::daemon
