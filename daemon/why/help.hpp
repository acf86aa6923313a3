// What comes next by itself, and what a person can do. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/why/explanation.hpp"
#include "daemon/why/facts.hpp"

namespace belfry::daemon {

[[nodiscard]] std::vector<NextLine> what_comes_next(const ServiceFacts& culprit, const WaitFacts* via);
[[nodiscard]] std::vector<std::string> what_would_help(const ServiceFacts& culprit, const WaitFacts* via);

}  // namespace belfry::daemon
