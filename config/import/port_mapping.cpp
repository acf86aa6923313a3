#include "config/import/port_mapping.hpp"

#include <algorithm>

#include "config/document/interpolate.hpp"

namespace belfry::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool in_name(char c) { return is_variable_name("_" + std::string(1, c)); }

struct Variable {
  std::size_t length = 0;  // 0: there is none
  bool has_default = false;
  std::string_view fallback;
};

// The variable that `text` begins with.
Variable variable_at(std::string_view text) {
  if (text.size() < 2 || text.front() != '$') return {};
  if (text[1] != '{') {
    std::size_t end = 1;
    while (end < text.size() && in_name(text[end])) ++end;
    return is_variable_name(text.substr(1, end - 1)) ? Variable{end, false, {}} : Variable{};
  }
  int depth = 0;
  std::size_t end = 1;
  do {
    if (end == text.size()) return {};
    depth += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
    ++end;
  } while (depth > 0);
  const std::string_view inside = text.substr(2, end - 3);
  std::size_t name = 0;
  while (name < inside.size() && in_name(inside[name])) ++name;
  std::string_view rest = inside.substr(name);
  if (rest.starts_with(':')) rest.remove_prefix(1);
  return {end, rest.starts_with('-'), rest.starts_with('-') ? rest.substr(1) : std::string_view()};
}

// Digits, and variables whose defaults are such.
bool is_made_of_digits(std::string_view text) {
  while (!text.empty()) {
    const Variable one = variable_at(text);
    if (one.length == 0 && !is_digit(text.front())) return false;
    if (one.has_default && !is_made_of_digits(one.fallback)) return false;
    text.remove_prefix(std::max<std::size_t>(1, one.length));
  }
  return true;
}

}  // namespace

PortMapping read_port_mapping(std::string_view text) {
  PortMapping out;
  for (const std::string_view protocol : {"/tcp", "/udp"})
    if (text.ends_with(protocol)) {
      out.udp = protocol == "/udp";
      text.remove_suffix(protocol.size());
    }
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
    if (text[i] == ':' && depth == 0) start = i + 1;
  }
  out.container = text.substr(start);
  out.published = text.substr(0, start == 0 ? 0 : start - 1);
  return out;
}

bool is_port_number(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit) && text.front() != '0' &&
         std::stoul(std::string(text)) <= 65535;
}

bool is_port(std::string_view text) {
  return text.contains('$') ? is_made_of_digits(text) : is_port_number(text);
}

bool is_bare_variable(std::string_view text) {
  const Variable one = variable_at(text);
  return one.length > 0 && one.length == text.size() && !one.has_default;
}

}  // namespace belfry::config
