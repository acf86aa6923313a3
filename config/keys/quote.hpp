// A word of the file in a message.
#pragma once

#include <string>
#include <string_view>

namespace belfry::config {

// In backticks; of a very long one the beginning.
[[nodiscard]] inline std::string quote(std::string_view text) {
  return "`" + std::string(text.substr(0, 200)) + "`";
}

}  // namespace belfry::config
