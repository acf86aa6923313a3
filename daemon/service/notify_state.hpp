// What a service has said of itself, beside what its life follows from (daemon/service/record).
#pragma once

#include <optional>
#include <string>

#include "daemon/service/notify_refusal.hpp"

namespace belfry::daemon {

// What WATCHDOG= said.
enum class WatchdogPing : std::uint8_t { none, alive, trigger };

// Owner: the Service, made with the first message. Lifecycle: the texts are those of the current run; the
// tally counts since the daemon started. Cancellation: none.
struct NotifyState {
  std::string status;                // STATUS=
  std::optional<int> errnum{};       // ERRNO=: why it failed or is about to
  std::optional<int> exit_status{};  // EXIT_STATUS=
  NotifyTally tally;
};

}  // namespace belfry::daemon
