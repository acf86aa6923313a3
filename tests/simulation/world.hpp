// Lets one history happen: the real supervisor, faked processes and probes, a clock moved by hand.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "tests/simulation/plan.hpp"

namespace belfry::simulation {

// What was wrong, or nothing. Everything that happens (transitions, bells, requests and their answers, in
// order) is written to `journal` while it happens; null: nobody reads it. The same plan gives the same bytes.
[[nodiscard]] std::optional<std::string> live_through(const Plan& plan, std::FILE* journal = nullptr);

}  // namespace belfry::simulation
