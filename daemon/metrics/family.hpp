// What a metric is called, and what is said of it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace belfry::daemon {

struct Family {
  enum class Type : std::uint8_t { gauge, counter, histogram };
  std::string_view name;
  Type type;
  std::string_view help;
};

struct Label {
  std::string_view name, value;
};

using Labels = std::initializer_list<Label>;

}  // namespace belfry::daemon
