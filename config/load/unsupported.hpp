// What the file format already knows and this version does not do yet: refused by name and place, never
// ignored.
#pragma once

#include "config/load/load.hpp"

namespace belfry::config {

// Adds an error of the rule `not-yet` for each such feature, at its place; so `run`, `check` and editors say
// the same. What could not be loaded is left alone.
void refuse_unsupported(Loaded& loaded);

}  // namespace belfry::config
