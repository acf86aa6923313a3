#include "config/import/hosts.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "config/document/interpolate.hpp"

namespace belfry::config {
namespace {

bool name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

bool holds_a_host(std::string_view variable) {
  std::string upper(variable);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  constexpr auto words = std::to_array<std::string_view>(
      {"HOST", "SERVER", "ADDR", "URL", "URI", "ENDPOINT", "BROKER", "PEER", "SEED", "NODE", "UPSTREAM"});
  return std::ranges::any_of(words, [&](std::string_view word) { return upper.contains(word); });
}

// The `}` that closes the `${` at the start of `text`, or its end.
std::size_t closing(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text.substr(i).starts_with("${") ? 1 : text[i] == '}' ? -1 : 0;
    if (text[i] == '}' && depth == 0) return i;
  }
  return text.size();
}

struct Default {
  std::string_view variable;
  std::string_view value;
};

// `value` with the default in the place of every `${NAME:-default}`; the defaults are kept.
std::string with_defaults(std::string_view value, std::vector<Default>& defaults, int depth = 0) {
  std::string out;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t open = depth < 8 ? std::min(value.find("${", at), value.size()) : value.size();
    out += value.substr(at, open - at);
    if (open == value.size()) break;
    const std::size_t end = open + closing(value.substr(open));
    const std::string_view inside = value.substr(open + 2, end - std::min(end, open + 2));
    const auto dash = inside.find('-');
    std::string_view name = inside.substr(0, dash);
    if (name.ends_with(':')) name.remove_suffix(1);
    if (dash != std::string_view::npos && !name.empty() && is_variable_name(name)) {
      defaults.push_back({name, inside.substr(dash + 1)});
      out += with_defaults(inside.substr(dash + 1), defaults, depth + 1);
    } else {
      out += value.substr(open, end + 1 - open);
    }
    at = std::min(end + 1, value.size());
  }
  return out;
}

std::string scan(std::string_view variable, std::string_view value, const Names& services) {
  for (std::size_t start = 0; start < value.size();) {
    if (!name_part(value[start])) {
      ++start;
      continue;
    }
    std::size_t end = start;
    while (end < value.size() && name_part(value[end])) ++end;
    const std::string_view name = value.substr(start, end - start);
    const std::string_view before = value.substr(0, start), behind = value.substr(end);
    const bool port = behind.size() > 1 && behind.front() == ':' &&
                      (std::isdigit(static_cast<unsigned char>(behind[1])) != 0 || behind[1] == '$');
    // `user:5432`? No: what stands before a password is followed by `@` somewhere.
    const bool authority = before.ends_with("//") || before.ends_with('@');
    const bool free = before.empty() || std::string_view(",;= \t\"'").contains(before.back());
    const auto edge = [](std::string_view text, char c) { return text.empty() || c == ',' || c == ';'; };
    const bool whole = edge(before, before.empty() ? ',' : before.back()) &&
                       edge(behind, behind.empty() ? ',' : behind.front()) && holds_a_host(variable);
    const bool account = before.ends_with("//") && behind.starts_with(':') && behind.contains('@');
    if (!account && (whole || (authority && !behind.starts_with('@')) || (free && port)) &&
        services.knows(name))
      return std::string(name);
    start = end;
  }
  return {};
}

}  // namespace

std::string host_in(std::string_view variable, std::string_view value, const Names& services) {
  std::vector<Default> defaults;
  std::string host = scan(variable, with_defaults(value, defaults), services);
  for (const Default& one : defaults)
    if (host.empty()) host = scan(one.variable, one.value, services);
  return host;
}

}  // namespace belfry::config
