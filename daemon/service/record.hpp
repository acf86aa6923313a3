// What a service's life consists of, as plain values: with it, a life could be taken up in the middle.
#pragma once

#include <cstdint>
#include <optional>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "daemon/graph/node.hpp"
#include "daemon/service/restart_policy.hpp"
#include "daemon/service/run.hpp"

namespace belfry::daemon {

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

// What the graph reads of it is in Standing.
struct Record : Standing {
  bool wanted = false;  // was started, by name or as a requirement
  bool stopped_by_command = false;
  bool stopped_by_loss = false;  // `on_loss: stop`: rests until somebody starts it
  bool has_run = false;
  bool has_been_ready = false;  // in any run
  bool stuck = false;  // somebody of the last run cannot be killed: watched, and nothing is started beside it
  std::uint64_t runs = 0;
  std::uint64_t asked_in = 0;   // when its stop was asked for, counted in starts and requests of the stack
  std::uint64_t wanted_in = 0;  // when its start was asked for while it did not run
  TimePoint since{};
  TimePoint retry_at{};                  // the end of its back-off
  Event entered_by = Event::stop_asked;  // what has led to its state
  Duration paused_before_since{0};  // Loop::paused() then: belfry's own pauses move the service's deadlines
  RestartHistory history{};
  pid_t reloader = 0;  // the reload command that runs; it may outlive the run that it was for
  Error cause;         // why it is in this state, and the last thing that went wrong
  Run run;             // the current one, or the last
};

}  // namespace belfry::daemon
