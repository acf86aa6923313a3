#include "config/model/name.hpp"

#include <algorithm>

namespace belfry::config {

bool is_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 128 && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || c == '-' || c == '.'; });
}

}  // namespace belfry::config
