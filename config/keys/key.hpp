// The words of the file format, once: the decoder reads by these tables, schema.json and the
// reference page are printed from them. A key that is not in a table does not exist.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "config/model/model.hpp"

namespace belfry::config {

// Which types of service a key makes sense for; a bit set.
using Fits = std::uint8_t;
inline constexpr Fits fits_daemon = 1, fits_oneshot = 2, fits_external = 4, fits_gate = 8;
inline constexpr Fits fits_process = fits_daemon | fits_oneshot;
inline constexpr Fits fits_probed = fits_process | fits_external;
inline constexpr Fits fits_all = fits_probed | fits_gate;

[[nodiscard]] constexpr Fits fit_of(ServiceType type) {
  return static_cast<Fits>(1U << static_cast<unsigned>(type));
}

// All texts are literals.
struct Key {
  std::string_view name;
  std::string_view type;      // a name in value_types(), or of another table
  std::string_view fallback;  // the default, as text
  std::string_view meaning;   // one or two sentences, markdown
  std::string_view example;   // YAML of the value
  Fits fits = fits_all;
  std::string_view least = {};  // of numbers: the bounds that the reader knows, for the schema
  std::string_view most = {};
};

// One mapping of the file.
struct Table {
  std::string_view name;  // `service`; also the name in schema.json's $defs
  std::string_view title;
  std::string_view meaning;
  std::vector<const Key*> keys;
  bool extensible = true;  // keys that begin with `x-` are ignored
};

// What a value may look like where it is not a mapping of its own.
struct ValueType {
  std::string_view name;
  std::string_view meaning;
  std::string_view schema;  // JSON
};

[[nodiscard]] std::span<const Table> tables();
[[nodiscard]] std::span<const ValueType> value_types();
[[nodiscard]] const Table* find_table(std::string_view name);

}  // namespace belfry::config
