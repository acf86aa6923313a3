// What may be the name of a service, a stack, a bell or a port.
#pragma once

#include <string_view>

namespace belfry::config {

// Up to 128 letters, digits, `_`, `-`, `.`, beginning with a letter, a digit or `_`.
[[nodiscard]] bool is_name(std::string_view name);

}  // namespace belfry::config
