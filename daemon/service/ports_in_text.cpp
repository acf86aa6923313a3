#include "daemon/service/ports_in_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace belfry::daemon {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_of_a_host(char c) {
  return is_digit(c) || is_letter(c) || c == '.' || c == ':' || c == '-' || c == '_';
}

// The number that begins at `at` and is no part of anything longer; 0: there is none.
std::uint16_t number_at(std::string_view line, std::size_t at) {
  std::uint16_t port = 0;
  const char* end = line.data() + line.size();
  const auto [after, error] = std::from_chars(line.data() + at, end, port);
  if (error != std::errc{}) return 0;
  if (after == end) return port;
  const bool goes_on = is_letter(*after) || *after == '_' || *after == '-' ||
                       ((*after == '.' || *after == ':') && after + 1 < end && is_digit(after[1]));
  return goes_on ? 0 : port;
}

// Hours and minutes, or the number of a line before that of a column: "12", "12:34", "2026-11-30T12:34".
bool is_part_of_a_time(std::string_view host) {
  if (host.contains("::")) return false;  // IPv6
  return host.contains(':') || host.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether what stands before the colon at `colon` is a host: a name, a number, [v6], *, or nothing at all.
bool follows_host(std::string_view line, std::size_t colon) {
  if (colon == 0) return true;
  const char before = line[colon - 1];
  if (before == ']' || before == '*' || before == ' ' || before == '(') return true;  // "listen tcp :8080"
  std::size_t begin = colon;
  while (begin > 0 && is_of_a_host(line[begin - 1])) --begin;
  const std::string_view host = line.substr(begin, colon - begin);
  // A file and the number of a line: "server.go:12", "app.py:3", "net.js:1331".
  const std::size_t dot = host.rfind('.');
  const bool is_file = begin > 0 && line[begin - 1] == '/' && (begin < 2 || line[begin - 2] != '/');
  const bool has_extension = dot != std::string_view::npos && dot + 1 < host.size() &&
                             is_letter(host[dot + 1]) && host.size() - dot <= 5;
  return !host.empty() && !is_part_of_a_time(host) && !is_file && !has_extension;
}

// "port 80", "port: 80", "port=80", "PORT 80".
bool follows_the_word(std::string_view line, std::size_t at) {
  while (at > 0 && (line[at - 1] == ' ' || line[at - 1] == ':' || line[at - 1] == '=' || line[at - 1] == '"'))
    --at;
  if (at < 4 || (at > 4 && is_letter(line[at - 5]))) return false;
  const std::string_view word = line.substr(at - 4, 4);
  return std::ranges::equal(word, std::string_view("port"),
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// "('127.0.0.1', 8000)", as Python writes an address.
bool follows_quoted_host(std::string_view line, std::size_t at) {
  return at >= 3 && line[at - 1] == ' ' && line[at - 2] == ',' &&
         (line[at - 3] == '\'' || line[at - 3] == '"');
}

// The last group of "[::1]".
bool ends_v6(std::string_view line, std::size_t at) {
  const std::size_t end = line.find_first_not_of("0123456789", at);
  if (end == std::string_view::npos || line[end] != ']') return false;
  const std::size_t open = line.rfind('[', at);
  return open != std::string_view::npos && !line.substr(open, at - open).contains('.');
}

}  // namespace

std::vector<std::uint16_t> ports_in(std::string_view line) {
  std::vector<std::uint16_t> ports;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (!is_digit(line[at]) || (at > 0 && is_digit(line[at - 1]))) continue;
    const bool behind_colon =
        at > 0 && line[at - 1] == ':' && follows_host(line, at - 1) && !ends_v6(line, at);
    if (!behind_colon && !follows_the_word(line, at) && !follows_quoted_host(line, at)) continue;
    const std::uint16_t port = number_at(line, at);
    if (port != 0 && std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
  }
  return ports;
}

}  // namespace belfry::daemon
