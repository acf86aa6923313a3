#include "config/model/duration.hpp"

#include <array>
#include <cctype>
#include <limits>
#include <optional>
#include <utility>

namespace belfry::config {
namespace {

using Wide = __int128;
constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> units{{{"ns", 1},
                                                                          {"us", 1'000},
                                                                          {"µs", 1'000},
                                                                          {"ms", 1'000'000},
                                                                          {"s", 1'000'000'000},
                                                                          {"m", 60'000'000'000},
                                                                          {"h", 3'600'000'000'000},
                                                                          {"d", 86'400'000'000'000}}};
constexpr Wide longest = std::numeric_limits<std::int64_t>::max();

bool digit(char c) { return c >= '0' && c <= '9'; }

std::unexpected<Malformed> bad(std::string_view text, std::string why, std::string help) {
  return std::unexpected(Malformed{"`" + std::string(text) + "` " + std::move(why), std::move(help)});
}

// A number with an optional fraction, in units of 10^-9.
std::optional<Wide> take_number(std::string_view& rest) {
  constexpr Wide one = 1'000'000'000;
  Wide value = 0;
  std::size_t at = 0;
  for (; at < rest.size() && digit(rest[at]); ++at) {
    value = value * 10 + (rest[at] - '0');
    if (value > longest) return std::nullopt;
  }
  bool some = at > 0;
  value *= one;
  if (at < rest.size() && rest[at] == '.') {
    Wide weight = one;
    for (++at; at < rest.size() && digit(rest[at]); ++at) {
      some = true;
      weight /= 10;
      value += (rest[at] - '0') * weight;
    }
  }
  rest.remove_prefix(at);
  return some ? std::optional(value) : std::nullopt;
}

}  // namespace

std::expected<Duration, Malformed> parse_duration(std::string_view text) {
  constexpr std::string_view examples = "write a number and a unit: `250ms`, `10s`, `1m30s`";
  if (text == "0") return Duration(0);
  if (text.starts_with('-')) return bad(text, "is negative", "a duration is 0 or more");
  if (text.size() > 64 || text.empty())
    return bad(text.substr(0, 64), "is not a duration", std::string(examples));
  Wide total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto number = take_number(rest);
    if (!number) return bad(text, "is not a duration", std::string(examples));
    std::size_t length = 0;
    while (length < rest.size() && !digit(rest[length]) && rest[length] != '.') ++length;
    const std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length);
    std::int64_t unit = 0;
    for (const auto& [known, factor] : units)
      if (name == known) unit = factor;
    if (name.empty())
      return bad(text, "has no unit",
                 "write `" + std::string(text) + "s` for seconds, or `" + std::string(text) + "ms`");
    if (unit == 0)
      return bad(text, "has an unknown unit `" + std::string(name) + "`", "units are ns, us, ms, s, m, h, d");
    // Compared before it is multiplied: the product may not fit 128 bits.
    const bool fits = *number <= longest * 1'000'000'000 / unit;
    if (fits) total += *number * unit / 1'000'000'000;
    if (!fits || total > longest) return bad(text, "is too long", "the longest duration is about 292 years");
  }
  return Duration(static_cast<std::int64_t>(total));
}

std::string to_string(Duration value) {
  std::int64_t rest = value.count();
  if (rest == 0) return "0s";
  std::string out = rest < 0 ? "-" : "";
  if (rest < 0)
    rest =
        rest == std::numeric_limits<std::int64_t>::min() ? std::numeric_limits<std::int64_t>::max() : -rest;
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> down{{{"d", 86'400'000'000'000},
                                                                           {"h", 3'600'000'000'000},
                                                                           {"m", 60'000'000'000},
                                                                           {"s", 1'000'000'000},
                                                                           {"ms", 1'000'000},
                                                                           {"us", 1'000},
                                                                           {"ns", 1}}};
  for (const auto& [name, unit] : down) {
    if (rest < unit) continue;
    out.append(std::to_string(rest / unit)).append(name);
    rest %= unit;
  }
  return out;
}

}  // namespace belfry::config
