// The status of a stack as a person reads it.
#pragma once

#include <string>

#include "channels/time/time.hpp"
#include "cli/terminal.hpp"
#include "client/json.hpp"

namespace belfry::cli {

using client::read_status;
using client::ServiceStatus;
using client::StackStatus;

// The two largest units: 850ms is "0s", then 12s, 3m 12s, 2h 05m, 4d 3h.
[[nodiscard]] std::string humanised(Duration duration);

// "0.4ms", "12ms", "3.2s", from a minute on as above.
[[nodiscard]] std::string precise(Duration duration);

// A line that sums up, the table, and below it what the services that are not ready complain of.
[[nodiscard]] std::string render_status(const StackStatus& status, Terminal terminal);

}  // namespace belfry::cli
