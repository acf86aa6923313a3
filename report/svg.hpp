// What every picture of a page begins with, and how numbers stand in it.
#pragma once

#include <string>
#include <string_view>

namespace belfry::report {

// With one digit behind the point.
[[nodiscard]] std::string decimal(double value);
// `title` is belfry's own.
[[nodiscard]] std::string svg_open(double width, double height, std::string_view title);

}  // namespace belfry::report
