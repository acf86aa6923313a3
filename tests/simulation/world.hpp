// Lets one history happen: the real supervisor, faked processes and probes, a clock moved by hand.
#pragma once

#include <optional>
#include <string>

#include "tests/simulation/plan.hpp"

namespace belfry::simulation {

// What was wrong, or nothing. `told`: prints what happened while it happens.
[[nodiscard]] std::optional<std::string> live_through(const Plan& plan, bool told);

}  // namespace belfry::simulation
