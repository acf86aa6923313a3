// "Did you mean …?": the known word that is nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::text {

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours), if it is near
// enough to be a slip of the finger; empty otherwise. Case does not count.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// A help line: `did you mean `x`?`, or, when nothing is near, the whole list if it is short enough.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace belfry::text
