// Which services have a notify socket of their own; all others share one.
#pragma once

#include "config/model/model.hpp"

namespace belfry::daemon {

// A service that speaks, or whose speaking is looked at closely.
[[nodiscard]] bool wants_own_notify_socket(const config::Service& service);

}  // namespace belfry::daemon
