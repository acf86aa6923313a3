// All that belongs to one run of a service, as plain values. The next run begins with a new one of these.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "config/model/compact.hpp"
#include "daemon/service/notify_state.hpp"
#include "daemon/state/service_state.hpp"
#include "system/process.hpp"
#include "system/usage.hpp"

namespace belfry::daemon {

using OptionalMoment = config::CompactOptional<TimePoint>;

struct Run {
  Run() = default;
  Run(const config::Service& service, TimePoint now)
      : tree_gone(service.command.empty()), started_at(now), said(service) {}

  // --- its processes
  pid_t pid = 0;                     // of the process that was started; 0: none
  pid_t main = 0;                    // of the main process, where it is another one (MAINPID=)
  pid_t leader = 0;                  // of its process group, also after the main process ended
  bool in_background = false;        // the process that was started has left, and what it left is the service
  bool background_was_seen = false;  // somebody of it; else it may have been a stranger who was not known yet
  std::uint8_t looks_for_main = 0;   // in vain
  TimePoint look_for_main_at{};      // the next one
  bool tree_gone = false;            // no process attributable to it is left
  system::Usage usage{};             // of those that were reaped so far
  std::uint32_t oom_kills = 0;       // known so far
  std::optional<system::ExitStatus> exit{};

  // --- why it ends
  bool killed = false;  // SIGKILL was needed
  bool killed_by_command = false;
  bool hung = false;               // `live` ended it
  bool watchdog_expired = false;   // its own silence, or its own word, ended it
  bool gave_up = false;            // its restarts have reached their limit
  bool refused = false;            // its command can't be started, now or later
  std::uint16_t taken_port = 0;    // whose holder `finding` names
  pid_t taken_by = 0;              // that one; 0: it cannot be seen
  std::optional<Event> left_by{};  // what has ended it
  Error failure;                   // why it is to end as a failure, when its exit code doesn't say
  std::string finding{};           // what else is known of why it has failed, as half a sentence

  // --- when
  TimePoint started_at{};
  OptionalMoment ready_at{};
  OptionalMoment asked_to_stop_at{};
  // How it is to stop, where somebody said so.
  config::OptionalDuration stop_timeout{};
  OptionalMoment kill_by{};
  OptionalMoment end_by{};

  NotifyState said;
};

}  // namespace belfry::daemon
