#include "daemon/http/api/unknown_name.hpp"

#include <string>
#include <vector>

#include "text/suggest.hpp"

namespace belfry::daemon::http {

Response no_such_service(const StackView& stack, std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(stack.service_count());
  for (const std::size_t i : stack.shown()) names.push_back(stack.service(i).name);
  std::string detail = "cannot find a service named " + std::string(name);
  if (const std::string_view near = text::nearest(name, names); !near.empty())
    detail += "; did you mean " + std::string(near) + "?";
  return problem(404, detail);
}

}  // namespace belfry::daemon::http
