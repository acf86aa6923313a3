#include "daemon/http/wire/accept.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>

namespace belfry::daemon::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes what is before the separator off the text.
std::string_view next_part(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

// Of the parameters behind the name; 1 where there is none, 0 where it cannot be read.
double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = next_part(parameters, ';');
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    double weight = 0;
    const char* const end = parameter.data() + parameter.size();
    const auto read = std::from_chars(parameter.data() + 2, end, weight, std::chars_format::fixed);
    return read.ec == std::errc() && read.ptr == end ? std::clamp(weight, 0.0, 1.0) : 0;
  }
  return 1;
}

}  // namespace

double quality_of(std::string_view name, std::string_view header) {
  double best = 0;
  while (!header.empty()) {
    std::string_view item = next_part(header, ',');
    const std::string_view listed = next_part(item, ';');
    if (boost::beast::iequals(listed, name)) best = std::max(best, weight_of(item));
  }
  return best;
}

}  // namespace belfry::daemon::http
