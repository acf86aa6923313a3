// The life of a service as a table: state × event → state. Pure: no clock, no process, no side effect.
//
// Everything that can happen to a service is one of these events, and every pair is decided in
// service_state.cpp. `daemon/service/service` finds out which event it is; what follows from it is written
// here and nowhere else. A state says what is, never why: causes travel beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace belfry::daemon {

enum class State : std::uint8_t {
  inactive,   // nothing of it runs and nobody asked for it, or somebody asked for its stop
  waiting,    // wants to start; an edge does not hold yet
  starting,   // its process runs (or its probe asks, for what has none); not ready yet
  ready,      // the bell has rung and the level holds
  unready,    // the bell has rung, the level is lost, the process runs
  stopping,   // on its way out: a process may be left
  backoff,    // has failed, will start again after a delay
  completed,  // ended with success and stays so
  failed,     // has failed for good
  blocked,    // cannot start, because something it requires has failed or was stopped by command
};
inline constexpr std::size_t state_count = 10;

enum class Event : std::uint8_t {
  start_asked,      // by the first start, by a command, or as a requirement of something started
  stop_asked,       // by command, shutdown, reload or `on_loss: stop`; its dependents have stopped
  restart_asked,    // by command, `on_loss: restart`, or a gate or external that lost its level
  blocked,          // a required root has failed for good or was stopped by command
  healed,           // no such root is left
  edges_hold,       // all edges hold in this very turn
  edge_timed_out,   // the `timeout` of an edge passed first
  start_refused,    // the start can never work: no such command, user or directory, a port taken
  start_failed,     // the start did not work this time: no process, no memory
  became_ready,     // every probe is true (or none was asked for)
  became_unready,   // a recheck failed, or it says that it reloads
  start_timed_out,  // `ready.timeout` passed first
  live_failed,      // `live` or the watchdog says that it hangs
  exited,           // its main process has ended
  gone_rest,        // no process is left; it was to stop
  gone_again,       // no process is left; it is to wait for its edges and start again
  gone_retry,       // no process is left; it failed, and its restart policy says: later, again
  gone_failed,      // no process is left; it failed, and its restart policy says: never again
  gone_completed,   // no process is left; it ended with success
  unkillable,       // SIGKILL was sent, and a process in uninterruptible sleep is left
  delay_over,       // the back-off delay has passed
};
inline constexpr std::size_t event_count = 21;

// The state that follows; the same state when the event changes nothing there; nothing when the pair
// cannot happen, which is a bug of the caller.
[[nodiscard]] std::optional<State> next_state(State state, Event event);

[[nodiscard]] std::string_view name_of(State state);
[[nodiscard]] std::string_view name_of(Event event);

// True while a process of it may exist, or while it plays the part of one (gate, external).
[[nodiscard]] constexpr bool is_running(State state) {
  return state == State::starting || state == State::ready || state == State::unready ||
         state == State::stopping;
}
// True when nothing will happen to it by itself any more.
[[nodiscard]] constexpr bool is_settled(State state) {
  return state == State::inactive || state == State::completed || state == State::failed ||
         state == State::blocked;
}

}  // namespace belfry::daemon
