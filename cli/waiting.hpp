// What a command says while it waits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/json.hpp"
#include "client/waiting.hpp"

namespace belfry::cli {

using client::ServiceStatus;
using client::StackStatus;
using client::Waiting;
using client::WaitSchedule;

// What a command waits for.
enum class WaitingFor : std::uint8_t { up, down };

// "api (starting 33s): nobody listens on port 18999": of those that keep `names` from what was asked, the
// ones to blame. Going up that is who stands at the end of the chain of waits; going down, who is stopping.
// No names: all services.
[[nodiscard]] std::string describe_wait(const StackStatus& status, const std::vector<std::string>& names,
                                        WaitingFor what);

}  // namespace belfry::cli
