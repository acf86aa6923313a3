// All that a file may say: its mappings with their keys, and what values look like. A key that is in none of
// the tables does not exist.
#pragma once

#include <span>

#include "config/keys/key.hpp"

namespace belfry::config {

[[nodiscard]] std::span<const Table> tables();  // the file itself first
[[nodiscard]] std::span<const ValueType> value_types();

}  // namespace belfry::config
