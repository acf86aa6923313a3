// Starts beside each other: what took longer this time than it does as a rule. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::analyze {

struct Observed {
  std::string name;
  Duration took{0};
};

// One start, or one stop.
struct Observation {
  Duration took{0};
  std::vector<Observed> services;
};

struct Deviation {
  std::string name;
  Duration latest{0}, median{0};
  std::size_t of = 0;  // how many earlier ones the median is of
  [[nodiscard]] Duration by() const { return latest - median; }
};

// With fewer earlier ones than this there is no rule to deviate from.
inline constexpr std::size_t least_for_a_median = 3;

// The services of the newest against the median of the ones before it, the one that is slower by most first.
// `all`: the oldest first.
[[nodiscard]] std::vector<Deviation> deviations(const std::vector<Observation>& all);
// The whole; nothing: there are too few.
[[nodiscard]] std::optional<Deviation> deviation_of_whole(const std::vector<Observation>& all);

struct Difference {
  std::string name;
  std::optional<Duration> before, after;  // empty: it is not in that one
  [[nodiscard]] Duration by() const { return after.value_or(Duration{0}) - before.value_or(Duration{0}); }
};

// Each service of either, the greatest difference first.
[[nodiscard]] std::vector<Difference> compare(const Observation& before, const Observation& after);

}  // namespace belfry::analyze
