// Descriptions of keys, printed for editors and for readers.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/keys/key.hpp"

namespace belfry::config {

// JSON Schema 2020-12 of the mapping that the first of `tables` describes. At most one table has a `one_of`;
// value types may refer to it as `has_a_kind`.
[[nodiscard]] std::string schema_json(std::span<const Table> tables, std::span<const ValueType> types);

// A page: `head`, and for each table every key with type, default, meaning and example.
[[nodiscard]] std::string reference_markdown(std::string_view head, std::span<const Table> tables,
                                             std::span<const ValueType> types);

}  // namespace belfry::config
