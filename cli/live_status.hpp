// The status of a stack as lines of a live view (text/live.hpp).
#pragma once

#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "client/json.hpp"
#include "text/live.hpp"

namespace belfry::cli {

// As it is `later` after the daemon has answered with `status`.
[[nodiscard]] std::vector<std::string> live_status(const client::StackStatus& status, Duration later,
                                                   const text::Screen& screen);

// Somebody is on his way up or down, so that times pass that are shown.
[[nodiscard]] bool is_moving(const client::StackStatus& status);

}  // namespace belfry::cli
