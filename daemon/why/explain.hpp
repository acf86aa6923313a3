// From the facts to the explanation: who is to blame, the chain down to him, what is known, what comes next
// and what would help. Pure: no clock, no service.
#pragma once

#include "daemon/why/explanation.hpp"
#include "daemon/why/facts.hpp"

namespace belfry::daemon {

[[nodiscard]] Explanation explain(const StackFacts& stack);

}  // namespace belfry::daemon
