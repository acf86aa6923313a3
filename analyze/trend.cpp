#include "analyze/trend.hpp"

#include <algorithm>
#include <map>

namespace belfry::analyze {

namespace {

// Of an even number the mean of the two in the middle. Precondition: not empty.
Duration median_of(std::vector<Duration> all) {
  std::ranges::sort(all);
  const std::size_t middle = all.size() / 2;
  if (all.size() % 2 == 1) return all[middle];
  return all[middle - 1] + (all[middle] - all[middle - 1]) / 2;
}

}  // namespace

std::vector<Deviation> deviations(const std::vector<Observation>& all) {
  std::vector<Deviation> found;
  if (all.size() <= least_for_a_median) return found;
  std::map<std::string, std::vector<Duration>> earlier;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    for (const Observed& one : all[i].services) earlier[one.name].push_back(one.took);
  }
  for (const Observed& one : all.back().services) {
    const auto known = earlier.find(one.name);
    if (known == earlier.end() || known->second.size() < least_for_a_median) continue;
    found.push_back({.name = one.name,
                     .latest = one.took,
                     .median = median_of(known->second),
                     .of = known->second.size()});
  }
  std::ranges::sort(found, [](const Deviation& a, const Deviation& b) {
    return a.by() != b.by() ? a.by() > b.by() : a.name < b.name;
  });
  return found;
}

std::optional<Deviation> deviation_of_whole(const std::vector<Observation>& all) {
  if (all.size() <= least_for_a_median) return std::nullopt;
  std::vector<Duration> earlier;
  earlier.reserve(all.size() - 1);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) earlier.push_back(all[i].took);
  const std::size_t count = earlier.size();
  return Deviation{
      .name = {}, .latest = all.back().took, .median = median_of(std::move(earlier)), .of = count};
}

std::vector<Difference> compare(const Observation& before, const Observation& after) {
  std::map<std::string, Difference> all;
  for (const Observed& one : before.services) {
    all[one.name].name = one.name;
    all[one.name].before = one.took;
  }
  for (const Observed& one : after.services) {
    all[one.name].name = one.name;
    all[one.name].after = one.took;
  }
  std::vector<Difference> sorted;
  sorted.reserve(all.size());
  for (auto& [name, one] : all) sorted.push_back(std::move(one));
  std::ranges::sort(sorted, [](const Difference& a, const Difference& b) {
    const auto size = [](const Difference& one) { return one.by() < Duration{0} ? -one.by() : one.by(); };
    return size(a) != size(b) ? size(a) > size(b) : a.name < b.name;
  });
  return sorted;
}

}  // namespace belfry::analyze
