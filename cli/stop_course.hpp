// The stop of a stack out of its journal, as a course that can be analysed. Pure.
#pragma once

#include <optional>

#include "analyze/course.hpp"
#include "report/run.hpp"

namespace belfry::cli {

// A service begins to stop when it is asked to, which is when whatever depends on it has stopped. Nothing:
// the stack was not asked to stop.
[[nodiscard]] std::optional<report::Picture> stop_of(const report::Run& run);

}  // namespace belfry::cli
