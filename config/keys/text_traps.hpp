// Texts that other YAML readers take for something else. Used by the decoder's own files.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "config/keys/quote.hpp"

namespace belfry::config {

// Texts that YAML 1.1 takes for true or false and YAML 1.2 for text.
inline bool boolean_trap(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low == "yes" || low == "no" || low == "on" || low == "off";
}

inline bool octal_trap(std::string_view text) {
  return text.size() > 1 && text.front() == '0' &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace belfry::config
