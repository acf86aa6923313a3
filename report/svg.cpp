#include "report/svg.hpp"

#include <cstdio>

namespace belfry::report {

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string svg_open(double width, double height, std::string_view title) {
  const std::string w = decimal(width), h = decimal(height);
  return R"(<svg role="img" viewBox="0 0 )" + w + " " + h + "\" width=\"" + w + "\" height=\"" + h +
         "\"><title>" + std::string(title) + "</title>\n";
}

}  // namespace belfry::report
