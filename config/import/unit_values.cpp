#include "config/import/unit_values.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "config/import/sections.hpp"
#include "config/model/address.hpp"
#include "config/model/duration.hpp"
#include "config/model/kernel_names.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// systemd.time(7).
std::optional<double> seconds_of(std::string_view unit) {
  using Row = std::pair<std::string_view, double>;
  constexpr auto units = std::to_array<Row>({{"", 1},         {"s", 1},           {"sec", 1},
                                             {"second", 1},   {"seconds", 1},     {"us", 1e-6},
                                             {"usec", 1e-6},  {"µs", 1e-6},       {"ms", 1e-3},
                                             {"msec", 1e-3},  {"m", 60},          {"min", 60},
                                             {"minute", 60},  {"minutes", 60},    {"h", 3600},
                                             {"hr", 3600},    {"hour", 3600},     {"hours", 3600},
                                             {"d", 86400},    {"day", 86400},     {"days", 86400},
                                             {"w", 604800},   {"week", 604800},   {"weeks", 604800},
                                             {"M", 2629800},  {"month", 2629800}, {"months", 2629800},
                                             {"y", 31557600}, {"year", 31557600}, {"years", 31557600}});
  const auto found = std::ranges::find(units, unit, &Row::first);
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

std::string_view take_while(std::string_view& rest, auto&& of) {
  const auto end = std::ranges::find_if_not(rest, of);
  const auto part = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(part.size());
  return part;
}

std::optional<double> decimal(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// A code point as UTF-8; what is none becomes nothing.
std::string utf8(std::uint32_t code) {
  std::string out;
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return out;
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) return byte(code), out;
  if (code < 0x800)
    byte(0xC0U | (code >> 6U));
  else if (code < 0x10000)
    byte(0xE0U | (code >> 12U)), byte(0x80U | ((code >> 6U) & 0x3FU));
  else
    byte(0xF0U | (code >> 18U)), byte(0x80U | ((code >> 12U) & 0x3FU)), byte(0x80U | ((code >> 6U) & 0x3FU));
  byte(0x80U | (code & 0x3FU));
  return out;
}

// What stands behind a backslash, taken from `rest`; an unknown escape stays as it is written.
std::string take_escape(std::string_view& rest) {
  using Row = std::pair<char, char>;
  constexpr auto simple = std::to_array<Row>({{'a', '\a'},
                                              {'b', '\b'},
                                              {'f', '\f'},
                                              {'n', '\n'},
                                              {'r', '\r'},
                                              {'t', '\t'},
                                              {'v', '\v'},
                                              {'s', ' '},
                                              {'\\', '\\'},
                                              {'"', '"'},
                                              {'\'', '\''}});
  if (rest.empty()) return "\\";
  const char kind = rest.front();
  if (const auto found = std::ranges::find(simple, kind, &Row::first); found != simple.end()) {
    rest.remove_prefix(1);
    return std::string(1, found->second);
  }
  const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : is_digit(kind) ? 3 : 0;
  const std::size_t skip = is_digit(kind) ? 0 : 1;
  std::uint32_t code = 0;
  const std::string_view number = rest.substr(skip, digits);
  const auto [end, fault] =
      std::from_chars(number.data(), number.data() + number.size(), code, skip == 0 ? 8 : 16);
  if (digits == 0 || fault != std::errc{} || end != number.data() + digits) return "\\";
  rest.remove_prefix(skip + digits);
  return utf8(code);
}

}  // namespace

std::optional<bool> unit_boolean(std::string_view text) {
  std::string word(text.substr(0, 8));
  std::ranges::transform(word, word.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const std::string_view yes : {"1", "yes", "y", "true", "t", "on"})
    if (word == yes) return true;
  for (const std::string_view no : {"0", "no", "n", "false", "f", "off"})
    if (word == no) return false;
  return std::nullopt;
}

std::optional<TimeSpan> unit_time(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (text == "infinity") return TimeSpan{"", std::numeric_limits<double>::infinity()};
  double seconds = 0;
  while (!(text = trimmed(text)).empty()) {
    const auto number = decimal(take_while(text, [](char c) { return is_digit(c) || c == '.'; }));
    text = trimmed(text);
    const auto unit =
        seconds_of(take_while(text, [](char c) { return !is_digit(c) && c != ' ' && c != '\t'; }));
    if (!number || !unit) return std::nullopt;
    seconds += *number * *unit;
  }
  if (!(seconds < 9e9)) return TimeSpan{"", std::numeric_limits<double>::infinity()};
  const auto micros = static_cast<std::int64_t>(std::llround(seconds * 1e6));
  return TimeSpan{micros == 0 ? "0s" : to_string(std::chrono::microseconds(micros)), seconds};
}

std::optional<std::int64_t> unit_number(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return std::nullopt;
  return value;
}

std::optional<std::uint64_t> unit_size(std::string_view text) {
  const auto number = decimal(take_while(text, [](char c) { return is_digit(c) || c == '.'; }));
  text = trimmed(text);
  if (text.ends_with('B')) text.remove_suffix(1);
  constexpr std::string_view powers = "KMGTPE";
  const auto power = text.size() == 1 ? powers.find(text.front()) : std::string_view::npos;
  if (!number || (!text.empty() && power == std::string_view::npos)) return std::nullopt;
  const double bytes = *number * std::pow(1024.0, text.empty() ? 0.0 : static_cast<double>(power + 1));
  return bytes >= 1 && bytes < 9e18 ? std::optional(static_cast<std::uint64_t>(bytes)) : std::nullopt;
}

std::string size_text(std::uint64_t bytes) {
  constexpr auto units = std::to_array<std::pair<std::uint64_t, std::string_view>>(
      {{std::uint64_t{1} << 30U, "GiB"}, {std::uint64_t{1} << 20U, "MiB"}, {std::uint64_t{1} << 10U, "KiB"}});
  for (const auto& [size, name] : units)
    if (bytes % size == 0) return std::to_string(bytes / size) + std::string(name);
  return std::to_string(bytes);
}

std::optional<std::string> unit_share(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto percent = unit_number(text.substr(0, text.size() - 1), 1, 1'000'000);
  if (!percent) return std::nullopt;
  std::string out = std::to_string(*percent / 100);
  if (*percent % 100 == 0) return out;
  out += (*percent % 100 < 10 ? ".0" : ".") + std::to_string(*percent % 100);
  if (out.ends_with('0')) out.pop_back();
  return out;
}

std::optional<std::string> unit_mode(std::string_view text) {
  std::uint32_t mode = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (fault != std::errc{} || end != text.data() + text.size() || mode > 0777) return std::nullopt;
  std::string out = "\"0";
  for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + ((mode >> shift) & 7U));
  return out + "\"";
}

std::optional<int> unit_exit_code(std::string_view text) {
  using Row = std::pair<std::string_view, int>;
  // sysexits(3).
  constexpr auto names = std::to_array<Row>({{"SUCCESS", 0},
                                             {"FAILURE", 1},
                                             {"USAGE", 64},
                                             {"DATAERR", 65},
                                             {"NOINPUT", 66},
                                             {"NOUSER", 67},
                                             {"NOHOST", 68},
                                             {"UNAVAILABLE", 69},
                                             {"SOFTWARE", 70},
                                             {"OSERR", 71},
                                             {"OSFILE", 72},
                                             {"CANTCREAT", 73},
                                             {"IOERR", 74},
                                             {"TEMPFAIL", 75},
                                             {"PROTOCOL", 76},
                                             {"NOPERM", 77},
                                             {"CONFIG", 78}});
  const auto found = std::ranges::find(names, text, &Row::first);
  if (found != names.end()) return found->second;
  const auto number = unit_number(text, 0, 255);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::optional<std::string> unit_signal(std::string_view text) {
  const auto number = signal_number(text);
  if (!number) return std::nullopt;
  const std::string_view name = signal_name(*number);
  return name.empty() ? std::string(text) : std::string(name);
}

bool is_own_address(std::string_view text) {
  const auto parsed = parse_host_port(text);
  if (!parsed) return false;
  in6_addr address{};  // large enough for both
  return parsed->host == "*" || parsed->host == "localhost" ||
         inet_pton(text.starts_with('[') ? AF_INET6 : AF_INET, parsed->host.c_str(), &address) == 1;
}

std::vector<std::string> unit_words(std::string_view rest, bool& unclosed) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool in_word = false;
  const auto end_word = [&] {
    if (in_word) words.push_back(std::move(word));
    word.clear();
    in_word = false;
  };
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      end_word();
      continue;
    }
    in_word = true;
    if (c == '\\')
      word += take_escape(rest);
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (quote != 0 && c == quote)
      quote = 0;
    else
      word += c;
  }
  unclosed = quote != 0;
  end_word();
  return words;
}

std::vector<std::string> unit_words(std::string_view text) {
  bool ignored = false;
  return unit_words(text, ignored);
}

}  // namespace belfry::config
