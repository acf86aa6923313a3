// What the stack says, as an HTTP status: the one place where the two meet.
#pragma once

#include "channels/error.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

[[nodiscard]] int status_of(CommandOutcome outcome);
// Of a wait that ended without its level: why it did.
[[nodiscard]] int status_of(Error::Kind why_not);

}  // namespace belfry::daemon::http
