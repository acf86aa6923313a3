// Writing JSON: the one way that there is (text/escape.hpp), under the name that this library uses.
#pragma once

#include "text/escape.hpp"

namespace belfry::config {

using text::json_string;

}  // namespace belfry::config
