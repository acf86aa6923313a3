#include "cli/option_values.hpp"

#include <utility>

#include "config/model/duration.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::cli {

using client::Expected;
using client::Failure;

std::unexpected<Failure> misunderstood(const std::string& option, const std::string& why,
                                       std::string next_step) {
  return std::unexpected(
      Failure{exit_code::usage, "cannot understand " + option + ": " + why, std::move(next_step)});
}

Expected<void> read_duration(const std::string& option, const std::string& text,
                             std::optional<Duration>& out) {
  if (text.empty()) return {};
  const auto parsed = config::parse_duration(text);
  if (!parsed)
    return misunderstood(option + " " + text, parsed.error().message, "write it like 500ms, 30s or 1m30s");
  out = *parsed;
  return {};
}

}  // namespace belfry::cli
