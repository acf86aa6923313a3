// Lengths of time as people write them: `250ms`, `10s`, `1m30s`, `1.5h`.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "config/model/model.hpp"

namespace belfry::config {

// Why a text is not what it should be, and what to write instead.
struct Malformed {
  std::string message;
  std::string help;
};

// Units ns, us, µs, ms, s, m, h, d; several in a row add up, largest first or not. `0` needs no unit.
// Negative, empty, without unit, or longer than about 292 years: an error.
[[nodiscard]] std::expected<Duration, Malformed> parse_duration(std::string_view text);

// The shortest text that parse_duration reads back as `value`: 90 s is `1m30s`.
[[nodiscard]] std::string to_string(Duration value);

}  // namespace belfry::config
