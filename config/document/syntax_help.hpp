// What a person probably did when the parser says what its grammar missed.
#pragma once

#include <string_view>

#include "config/document/source.hpp"

namespace belfry::config {

struct Explanation {
  std::string_view message;
  std::string_view help;
};

// For yaml-cpp's `message` about `line` of `source`; without a message if it is one that is not known.
[[nodiscard]] Explanation explain(std::string_view message, const Source& source, std::uint32_t line);

}  // namespace belfry::config
