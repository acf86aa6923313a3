// The runs of the services as spans of time, put together from what the journal says of each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/run.hpp"

namespace belfry::report {

// From its wish to start to the bell, or to the end of the attempt. What was not reached is empty.
struct Incarnation {
  std::size_t service = 0;
  std::int64_t number = 0;  // 0: it has not come so far as to have one
  std::optional<Duration> waiting{}, starting{}, started{}, ready{}, ended{};
  std::string result{};  // the state in which the attempt has ended, one way or the other
  std::string cause{};

  [[nodiscard]] Duration begin() const { return waiting.value_or(starting.value_or(Duration{0})); }
  [[nodiscard]] bool has_succeeded() const { return ready || result == "completed"; }
};

// In the order in which they began. What the journal has forgotten of the start, its timeline knows.
[[nodiscard]] std::vector<Incarnation> incarnations_of(const Run& run);

}  // namespace belfry::report
