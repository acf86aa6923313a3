// One item of `ports` or `expose` of a compose file: `127.0.0.1:8080:80/tcp`.
#pragma once

#include <string>
#include <string_view>

namespace belfry::config {

struct PortMapping {
  std::string container;  // where the program binds: digits, variables, or a range
  std::string published;  // everything before it; empty if nothing is
  bool udp = false;
};

// Colons in `${...}` separate nothing.
[[nodiscard]] PortMapping read_port_mapping(std::string_view text);

// Whether `text` is one port: a number, or variables and digits that make one. A variable whose default is
// something else, such as a whole mapping, is none.
[[nodiscard]] bool is_port(std::string_view text);
// Whether it is only digits.
[[nodiscard]] bool is_port_number(std::string_view text);
// Whether `text` is one variable without a default: it may hold anything.
[[nodiscard]] bool is_bare_variable(std::string_view text);

}  // namespace belfry::config
