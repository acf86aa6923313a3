#include "config/import/hosts.hpp"

#include <algorithm>
#include <array>
#include <cctype>

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

}  // namespace

std::string host_in(std::string_view variable, std::string_view value, Names const& services) {
  for (std::size_t start = 0; start < value.size();) {
    if (!name_part(value[start])) {
      ++start;
      continue;
    }
    std::size_t end = start;
    while (end < value.size() && name_part(value[end])) ++end;
    std::string_view const name = value.substr(start, end - start);
    std::string_view const before = value.substr(0, start), behind = value.substr(end);
    bool const port = behind.size() > 1 && behind.front() == ':' &&
                      (std::isdigit(static_cast<unsigned char>(behind[1])) != 0 || behind[1] == '$');
    // `user:5432`? No: what stands before a password is followed by `@` somewhere.
    bool const authority = before.ends_with("//") || before.ends_with('@');
    bool const free = before.empty() || std::string_view(",;= \t\"'").contains(before.back());
    bool const whole = before.empty() && behind.empty() && holds_a_host(variable);
    bool const account = before.ends_with("//") && behind.starts_with(':') && behind.contains('@');
    if (!account && (whole || (authority && !behind.starts_with('@')) || (free && port)) &&
        services.knows(name))
      return std::string(name);
    start = end;
  }
  return {};
}

}  // namespace belfry::config
