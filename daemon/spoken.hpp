// What a service has said of itself, beside what its life follows from (daemon/record).
#pragma once

#include <optional>
#include <string>

#include "daemon/notify_refusal.hpp"

namespace belfry::daemon {

// Owner: the Service, made with the first message. Lifecycle: the texts are those of the current run; the
// tally counts since the daemon started. Cancellation: none.
struct Spoken {
  std::string status;                // STATUS=
  std::optional<int> errnum{};       // ERRNO=: why it failed or is about to
  std::optional<int> exit_status{};  // EXIT_STATUS=
  NotifyTally tally;
};

}  // namespace belfry::daemon
