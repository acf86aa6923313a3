// What the file format already knows and this version does not do yet is refused by name and place, never
// ignored: the keys that their tables mark so (config/keys/not_yet), and the values that no key tells.
#pragma once

#include "config/load/load.hpp"

namespace belfry::config {

// Adds an error of the rule `not-yet` for each such feature, at its place; so `run`, `check` and editors say
// the same. What could not be loaded is left alone.
void refuse_unsupported(Loaded& loaded);

}  // namespace belfry::config
