#include "config/model/size.hpp"

#include <cctype>
#include <limits>

namespace belfry::config {
namespace {

// The factor of a unit written in any case; 0 for an unknown one.
std::uint64_t factor_of(std::string_view unit) {
  if (unit.empty() || unit == "B" || unit == "b") return 1;
  constexpr std::string_view letters = "KMGT";
  const auto power = letters.find(static_cast<char>(std::toupper(static_cast<unsigned char>(unit.front()))));
  if (power == std::string_view::npos) return 0;
  unit.remove_prefix(1);
  const bool decimal = unit == "B" || unit == "b";
  if (!unit.empty() && !decimal && unit != "iB" && unit != "ib" && unit != "i") return 0;
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= decimal ? 1000 : 1024;
  return factor;
}

}  // namespace

std::expected<std::uint64_t, Malformed> parse_size(std::string_view text) {
  const auto bad = [&](std::string why, std::string help) {
    return std::unexpected(
        Malformed{"`" + std::string(text.substr(0, 64)) + "` " + std::move(why), std::move(help)});
  };
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  std::size_t at = 0;
  if (text.starts_with('-')) return bad("is negative", "a size is 0 or more");
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    const auto digit = static_cast<std::uint64_t>(text[at] - '0');
    if (value > (most - digit) / 10) return bad("is too large", "the largest size is 2^64 - 1 bytes");
    value = value * 10 + digit;
  }
  if (at == 0 || text.size() > 64)
    return bad("is not a size", "write a number and a unit: `64MiB`, `1GiB`, `512KiB`");
  const std::uint64_t factor = factor_of(text.substr(at));
  if (factor == 0)
    return bad("has an unknown unit `" + std::string(text.substr(at)) + "`",
               "units are KiB, MiB, GiB, TiB (or K, M, G, T)");
  if (value > most / factor) return bad("is too large", "the largest size is 2^64 - 1 bytes");
  return value * factor;
}

}  // namespace belfry::config
