// What the file format already knows and this version does not do yet: refused by name and place, never
// ignored.
#pragma once

#include <string>
#include <vector>

#include "config/model.hpp"

namespace belfry::daemon {

// "belfry.yaml:12:5: error: cannot use …"; empty when the stack needs nothing of the kind.
[[nodiscard]] std::vector<std::string> unsupported_features(const config::Stack& stack);

}  // namespace belfry::daemon
