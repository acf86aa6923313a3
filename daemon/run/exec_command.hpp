// The command of `belfry exec`, looked at before the stack is brought up for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace belfry::daemon {

// Says on standard error why `command` cannot be run and returns what a shell would leave with: 127 if it is
// not there, 126 if it is and cannot be executed. Nothing if it can be run.
std::optional<int> refuse_command(const std::vector<std::string>& command);

}  // namespace belfry::daemon
