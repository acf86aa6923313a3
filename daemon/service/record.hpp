// What a service's life consists of, as plain values: with it, a life could be taken up in the middle.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "config/model/compact.hpp"
#include "daemon/service/restart_policy.hpp"
#include "daemon/service/service_state.hpp"
#include "system/process.hpp"

namespace belfry::daemon {

using OptionalMoment = config::CompactOptional<TimePoint>;

// What somebody outside wants of a running service.
enum class Intent : std::uint8_t {
  run,    // nothing else
  rest,   // stop, and stay stopped
  again,  // stop, then wait for the edges and start again
};

// How a stop is to be done.
struct StopTerms {
  Intent intent = Intent::rest;
  Error cause;
  bool in_order = true;                // only after all running dependents have stopped
  std::optional<Duration> timeout{};   // instead of the service's own
  std::optional<TimePoint> kill_by{};  // killed then at the latest
  std::optional<TimePoint> end_by{};   // and what cleans up after it then
  bool by_command = true;              // dependents are blocked while it rests
};

// A reload that the service has announced (RELOADING=1), or the last one.
struct Reload {
  bool running = false;
  bool overdue = false;  // READY=1 did not follow within `ready.timeout`
  TimePoint began_at{};  // as the service says (MONOTONIC_USEC)
  TimePoint heard_at{};
  Duration paused_before{0};
};

struct Record {
  State state = State::inactive;
  Intent intent = Intent::run;
  bool wanted = false;  // was started, by name or as a requirement
  bool start_requested = false;
  bool stopped_by_command = false;
  bool stopped_by_loss = false;  // `on_loss: stop`: rests until somebody starts it
  bool in_order = true;
  bool has_run = false;
  bool has_been_ready = false;  // in any run
  bool last_run_succeeded = false;
  bool tree_gone = false;
  bool killed = false;  // SIGKILL was needed in this run
  bool killed_by_command = false;
  bool stuck = false;  // somebody of the last run cannot be killed: watched, and nothing is started beside it
  bool hung = false;   // `live` ended this run
  bool watchdog_expired = false;  // its own silence, or its own word, ended this run
  bool refused = false;           // its command can't be started, now or later
  bool in_background = false;     // the process that was started has left, and what it left is the service
  bool said_stopping = false;     // a later READY=1 does not take that back
  pid_t pid = 0;                  // of the process that was started; 0: none
  pid_t main = 0;                 // of the main process, where it is another one (MAINPID=)
  pid_t hook = 0;                 // the hook that runs
  pid_t reloader = 0;             // the reload command that runs
  pid_t leader = 0;               // of the current run's process group, also after the main process ended
  std::optional<system::ExitStatus> exit{};
  std::optional<system::ExitStatus> hook_exit{};
  std::uint32_t truths = 0;  // bit i: probe i of `ready:` is true
  std::uint32_t rung = 0;    // bit i: own bell i has rung in this run
  std::uint64_t runs = 0;
  std::uint64_t started_in = 0;  // when this run began and when its stop was asked for, counted
  std::uint64_t asked_in = 0;    //   in starts and requests of the whole stack
  std::uint64_t wanted_in = 0;   // when its start was asked for while it did not run
  TimePoint since{};
  Duration paused_before_since{0};  // Loop::paused() then: belfry's own pauses move the service's deadlines
  TimePoint started_at{};
  OptionalMoment ready_at{};
  OptionalMoment asked_to_stop_at{};
  config::OptionalDuration stop_timeout{};
  OptionalMoment kill_by{};
  OptionalMoment end_by{};
  Duration watchdog{0};  // how long it may be silent; zero: for ever
  TimePoint last_ping{};
  Duration paused_before_ping{0};
  TimePoint extended_until{};  // EXTEND_TIMEOUT_USEC: the current phase's deadline is not earlier
  Reload reload{};
  RestartHistory history{};
  Error failure;  // why this run is to end as a failure, when its exit code doesn't say
  Error cause;    // why it is in this state, and the last thing that went wrong
};

}  // namespace belfry::daemon
